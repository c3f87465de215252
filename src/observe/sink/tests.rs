//! Lines arrive whole, in order, and are dropped rather than waited for.

use std::io;

use super::*;

/// An output that the test can read, and hold back.
#[derive(Clone, Default)]
struct Output {
    text: Arc<Mutex<Vec<u8>>>,
    gate: Arc<Mutex<()>>,
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        drop(lock(&self.gate));
        lock(&self.text).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Output {
    fn text(&self) -> String {
        String::from_utf8(lock(&self.text).clone()).expect("UTF-8")
    }
}

#[test]
fn every_line_arrives_whole_and_in_the_order_of_its_worker() {
    let output = Output::default();
    let (sink, guard) = Sink::start(Format::Readable, output.clone()).expect("a thread");
    let workers: Vec<_> = (0..4)
        .map(|worker| {
            let lines = sink.lines();
            thread::spawn(move || {
                for number in 0..1000 {
                    let text = format!("{worker} {number}");
                    lines.add(|line, _| line.push_str(&text));
                }
            })
        })
        .collect();
    for worker in workers {
        worker.join().expect("no panic");
    }
    drop(guard);
    let text = output.text();
    assert_eq!(text.lines().count(), 4000);
    for worker in 0..4 {
        let prefix = format!("{worker} ");
        let numbers: Vec<_> = text.lines().filter_map(|line| line.strip_prefix(&prefix)).collect();
        assert!(numbers.iter().enumerate().all(|(index, number)| *number == index.to_string()));
    }
}

#[test]
fn a_reader_that_is_too_slow_loses_lines_and_is_told_how_many() {
    let output = Output::default();
    let (sink, guard) = Sink::start(Format::Json, output.clone()).expect("a thread");
    let lines = sink.lines();
    let held = lock(&output.gate);
    let long = "x".repeat(1000);
    // The thread takes at most one buffer before it is held back; the next fills up.
    for _ in 0..4 * ROOM / 1000 {
        lines.add(|line, _| line.push_str(&long));
    }
    drop(held);
    drop(guard);
    let text = output.text();
    assert!(text.len() < 3 * ROOM, "bounded: {}", text.len());
    let told = text.lines().find(|line| line.contains("log lines dropped")).expect("it says so");
    let told: serde_json::Value = serde_json::from_str(told).expect("JSON");
    assert_eq!(told["level"], "WARN");
}

#[test]
fn an_output_that_is_gone_stops_nobody() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }
    let (sink, guard) = Sink::start(Format::Json, Closed).expect("a thread");
    sink.lines().add(|line, _| line.push_str("nobody reads this"));
    drop(guard);
}

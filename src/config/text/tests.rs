//! Tests of `config::text`: tables, each row with what it shows.

use super::*;

fn refusal(content: &str) -> (&'static str, u32, u32) {
    let error = parse(content).unwrap_err();
    let (line, column) = position(content, error.offset);
    (error.code, line, column)
}

#[test]
fn texts_that_are_not_json_are_refused_where_they_go_wrong() {
    let cases = [
        ("", ("empty_file", 1, 1), "an empty file"),
        (" \n ", ("empty_file", 1, 1), "a blank file"),
        ("{\n<<<<<<< HEAD\n}", ("merge_conflict", 2, 1), "a merge conflict"),
        ("{\"a\": <%= x %>}", ("template", 1, 7), "a template of EJS"),
        ("{{ if }}\n{}", ("template", 1, 1), "a template of Helm"),
        ("{\"a\": 1,}", ("invalid_json", 1, 8), "a comma at the end"),
        ("{\"a\": 1\n \"b\": 2}", ("invalid_json", 1, 8), "a comma that is missing"),
        ("[{} {}]", ("invalid_json", 1, 4), "a comma that is missing between objects"),
        ("// x\n{}", ("invalid_json", 1, 1), "a comment"),
        ("{'a': 1}", ("invalid_json", 1, 2), "single quotes"),
        ("{a: 1}", ("invalid_json", 1, 2), "a key without quotes"),
        ("[01]", ("invalid_json", 1, 3), "a number with a leading zero"),
        ("{\"a\": \"\\.\"}", ("invalid_json", 1, 8), "an escape that JSON does not have"),
        ("{\"ü\": 1 2}", ("invalid_json", 1, 8), "columns are characters"),
        ("{} {}", ("invalid_json", 1, 4), "two values"),
        ("{\"a\"", ("invalid_json", 1, 5), "a file that ends too early"),
        ("[NaN]", ("invalid_json", 1, 2), "a number that is none"),
    ];
    let wrong: Vec<_> = cases.iter().filter(|(content, expected, _)| refusal(content) != *expected).collect();
    let found: Vec<_> = wrong.iter().map(|(content, _, _)| refusal(content)).collect();
    assert!(wrong.is_empty(), "{wrong:#?} but {found:?}");
}

#[test]
fn a_byte_order_mark_is_not_part_of_the_text() {
    let mut texts = Texts::default();
    let (id, content) = texts.add("f", "\u{feff}{}");
    assert!(parse(&content).is_ok());
    assert_eq!(texts.place(id.at(0)), ("f", 1, 1));
}

#[test]
fn the_dotted_key_of_a_place_is_found_again() {
    let content = r#"{"routes": [{"a": 1}, {"source": "x"}], "b": {"c.d": [[true]]}}"#;
    let mut texts = Texts::default();
    let (id, _) = texts.add_under("environment", "plugins", content);
    let cases = [
        ("{", "plugins"),
        (r#""routes""#, "plugins.routes"),
        (r#"{"source""#, "plugins.routes[1]"),
        (r#""x""#, "plugins.routes[1].source"),
        ("true", "plugins.b.c.d[0][0]"),
    ];
    for (at, key) in cases {
        let offset = content.find(at).unwrap();
        assert_eq!(texts.locate([id.at(offset)].into_iter())[0].key, key, "{at}");
    }
}

#[test]
fn many_places_are_found_in_one_walk() {
    let content = "{\n \"ä\": 1, \"b\": [2,\n3] }";
    let mut texts = Texts::default();
    let (id, _) = texts.add("f", content);
    let offsets = [0, content.find('1').unwrap(), content.find('2').unwrap(), content.find('2').unwrap()];
    let offsets = offsets.into_iter().chain([content.find('3').unwrap(), 999]);
    let places: Vec<_> =
        texts.locate(offsets.map(|offset| id.at(offset))).iter().map(|s| (s.line, s.column)).collect();
    assert_eq!(places, [(1, 1), (2, 7), (2, 16), (2, 16), (3, 1), (3, 5)]);
}

#[test]
fn a_key_that_is_given_twice_is_found_in_small_and_large_objects() {
    for keys in [3, 1000] {
        let pairs: Vec<String> = (0..keys).map(|key| format!("\"k{key}\": 0")).collect();
        let content = format!("{{{}, \"k1\": 1}}", pairs.join(", "));
        let value = parse(&content).unwrap();
        let found = repeated(value.as_object().unwrap());
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].name.as_str(), "k1");
    }
}

#[test]
fn bytes_that_are_not_utf8_are_refused_at_the_first() {
    assert_eq!(decode(b"ab\xff").unwrap_err().offset, 2);
}

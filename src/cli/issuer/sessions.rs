//! The page of everyone who is logged in, to be logged out in either way.
//!
//! It shows the logins of every browser of this machine: the point is to see what an application does
//! when a login ends behind its back.

use http::StatusCode;

use super::STYLE;
use super::back_channel::Told;
use super::ledger::Session;
use super::user::User;
use super::visit::{Visit, page};
use crate::cli::loopback::form::Form;
use crate::cli::loopback::page::{escape, hue, render};
use crate::cli::loopback::{Answer, Call, see_other};

impl Visit<'_> {
    /// The page.
    pub(super) fn sessions(&self, call: &Call) -> Answer {
        let sessions = self.realm.ledger().sessions(self.now);
        let own = self.session(call).map(|session| session.id);
        let rows: String =
            sessions.iter().map(|session| self.row(session, own.as_ref() == Some(&session.id))).collect();
        let empty = "<p class=\"none\">Nobody is logged in.</p>".to_owned();
        let link = self.application().map_or(String::new(), |url| {
            let url = escape(&url);
            format!("<p class=\"after\"><a href=\"{url}/\">Open {url}</a></p>")
        });
        let values = [
            ("style", STYLE),
            ("hue", &hue(&self.realm.name)),
            ("tenant", &self.title()),
            ("news", &news(Form::parse(&call.query).one("news").unwrap_or_default())),
            ("sessions", if rows.is_empty() { &empty } else { &rows }),
            ("link", &link),
        ];
        page(StatusCode::OK, "", render(include_str!("sessions.html"), &values))
    }

    fn row(&self, session: &Session, is_own: bool) -> String {
        let user = User::named(&session.user);
        let name = user.map_or(session.user.clone(), |user| format!("{} {}", user.given, user.family));
        let scope = if session.scope.is_empty() { "no scope" } else { &session.scope };
        let own = if is_own { " <span class=\"own\">this browser</span>" } else { "" };
        let values = [
            ("action", format!("/{}/sessions", self.realm.name)),
            ("id", escape(&session.id)),
            ("name", escape(&name)),
            ("own", own.to_owned()),
            ("since", since(self.now.saturating_sub(session.begun))),
            ("lifetime", span(session.token_lifetime)),
            ("scope", escape(scope)),
        ];
        let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
        render(include_str!("session.html"), &values)
    }

    /// Ends one login, and tells the application where that is wanted.
    pub(super) async fn end_one(&self, call: &Call) -> Answer {
        let form = call.form();
        let ended = self.realm.ledger().end(form.one("session").unwrap_or_default());
        let news = match (ended, form.one("action")) {
            (None, _) => "gone",
            (Some(session), Some("tell")) => match self.tell(&session).await {
                Told::Accepted => "told",
                Told::Refused(_) => "refused",
                Told::Unreachable => "unreachable",
                Told::NotWanted => "unwanted",
            },
            (Some(_), _) => "ended",
        };
        see_other(&format!("/{}/sessions?news={news}", self.realm.name))
    }
}

/// What came of the last button.
fn news(word: &str) -> String {
    let text = match word {
        "ended" => "Logged out here. The application was not told: it notices when it refreshes its token.",
        "told" => "Logged out, and the application took the logout token: its session is gone.",
        "refused" => "Logged out, but the application refused the logout token.",
        "unreachable" => "Logged out, but the application did not answer.",
        "unwanted" => {
            "Logged out, but the application has no “backChannelLogoutEndpoint” in xs-app.json to be told at."
        }
        "gone" => "That login had ended already.",
        _ => return String::new(),
    };
    format!("<p class=\"news\" role=\"status\">{text}</p>")
}

/// How long ago something was.
fn since(seconds: u64) -> String {
    match seconds {
        0..60 => "just now".to_owned(),
        60.. => format!("{} ago", span(seconds)),
    }
}

/// A span of time in the largest unit that it fills.
fn span(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..60 => (seconds, "second"),
        60..3600 => (seconds / 60, "minute"),
        3600.. => (seconds / 3600, "hour"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_said_in_words() {
        for (seconds, words) in
            [(10, "10 seconds"), (60, "1 minute"), (3599, "59 minutes"), (3600, "1 hour"), (7300, "2 hours")]
        {
            assert_eq!(span(seconds), words);
        }
        assert_eq!(since(3), "just now");
        assert_eq!(since(61), "1 minute ago");
    }
}

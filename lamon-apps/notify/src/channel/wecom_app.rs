//! An application of WeCom, which writes to members, departments and tags (developer.work.weixin.qq.com/document/path/90236),
//! with an access token that its secret is exchanged for (path/91039).

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::http::{self, JSON, Refusal};
use super::wecom::{Format, said};
use super::{Failure, secret, sign};
use crate::notice::Message;

/// The longest content that WeCom takes from an application, in bytes, markdown and text.
const MAX_BYTES: (usize, usize) = (2_048, 2_048);

/// The service that members' telephones are connected to.
pub(crate) const SERVICE: &str = "https://qyapi.weixin.qq.com";

/// Numbers of an answer to a token that is not valid, or not any more.
const TOKEN_ENDED: [i64; 2] = [40_014, 42_001];

/// The longest that a token is used, whatever the service says: it says two hours.
const LONGEST_USE: Duration = Duration::from_secs(86_400);

/// The application.
#[derive(Debug, Clone)]
pub(crate) struct WeComApp {
    /// The beginning of the service's addresses, without a slash at its end.
    pub(crate) url: String,
    /// The enterprise.
    pub(crate) corpid: String,
    /// The application's number in it.
    pub(crate) agentid: u32,
    /// The application's secret.
    pub(crate) secret: PathBuf,
    pub(crate) to: Recipients,
    pub(crate) format: Format,
    /// The site's own authority, in place of the public ones.
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) token: Token,
}

/// Who is told; as WeCom names them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recipients {
    /// Members; `@all` is everybody who sees the application.
    pub(crate) users: Vec<String>,
    /// Departments.
    pub(crate) parties: Vec<String>,
    pub(crate) tags: Vec<String>,
}

/// The token that was got last, until it ends. WeCom refuses who asks for one too often. Copies of a channel share it; the lock
/// is never held while something is under way.
#[derive(Clone, Default)]
pub(crate) struct Token(Arc<Mutex<Option<(String, Instant)>>>);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

impl Token {
    fn get(&self, now: Instant) -> Option<String> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().filter(|(_, end)| now < *end).map(|(token, _)| token.clone())
    }

    fn set(&self, token: Option<(String, Instant)>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = token;
    }
}

impl WeComApp {
    pub(super) fn deliver(&self, message: &Message) -> Result<(), Failure> {
        let body = self.body(message).to_string();
        let kept = self.token.get(Instant::now());
        let renewable = kept.is_some();
        let token = kept.map_or_else(|| self.fetch_token(), Ok)?;
        let mut answer = self.send(&token, &body)?;
        if let Err(Refusal { number: Some(number), .. }) = &answer
            && TOKEN_ENDED.contains(number)
        {
            self.token.set(None);
            // WeCom may end a token before its time. One that is new must be good.
            if renewable {
                answer = self.send(&self.fetch_token()?, &body)?;
            }
        }
        let answer = answer.map_err(|refusal| refusal.why)?;
        for kind in ["invaliduser", "invalidparty", "invalidtag", "unlicenseduser"] {
            if let Some(names) = answer.get(kind).and_then(Value::as_str).filter(|names| !names.is_empty()) {
                tracing::warn!("the WeCom application reaches the others, but not {names} ({kind})");
            }
        }
        Ok(())
    }

    fn send(&self, token: &str, body: &str) -> Result<Result<Value, Refusal>, Failure> {
        let url = format!("{}/cgi-bin/message/send?access_token={}", self.url, sign::percent_encoded(token));
        let answer = http::post(&url, JSON, body, self.ca_file.as_deref())?;
        Ok(http::accepted(&answer, "errcode", "errmsg"))
    }

    /// Exchanges the secret for a token.
    fn fetch_token(&self) -> Result<String, Failure> {
        let secret = sign::percent_encoded(&secret(&self.secret)?);
        let corpid = sign::percent_encoded(&self.corpid);
        let url = format!("{}/cgi-bin/gettoken?corpid={corpid}&corpsecret={secret}", self.url);
        // Its time runs from when it was made, not from when it came.
        let asked = Instant::now();
        let answer = http::get(&url, self.ca_file.as_deref())?;
        let answer = http::accepted(&answer, "errcode", "errmsg")
            .map_err(|refusal| format!("no access token: {}", refusal.why))?;
        let Some(token) =
            answer.get("access_token").and_then(Value::as_str).filter(|token| !token.is_empty())
        else {
            return Err(Failure::Later("no access token: the answer has none".to_owned()));
        };
        let seconds = answer.get("expires_in").and_then(Value::as_u64).unwrap_or_default();
        let end = asked + Duration::from_secs(seconds).min(LONGEST_USE);
        self.token.set(Some((token.to_owned(), end)));
        Ok(token.to_owned())
    }

    fn body(&self, message: &Message) -> Value {
        let Recipients { users, parties, tags } = &self.to;
        let mut whole =
            json!({"touser": users.join("|"), "toparty": parties.join("|"), "totag": tags.join("|")});
        let mut said = said(self.format, message, MAX_BYTES);
        if let (Some(whole), Some(said)) = (whole.as_object_mut(), said.as_object_mut()) {
            whole.retain(|_, names| names != "");
            whole.append(said);
            whole.insert("agentid".to_owned(), json!(self.agentid));
        }
        whole
    }

    pub(super) fn check(&self) -> Result<(), String> {
        self.ca_file.as_deref().map_or(Ok(()), |path| http::authorities(path).map(drop))?;
        secret(&self.secret).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use lamon_bus::Level;

    use super::*;

    #[test]
    fn a_token_is_used_until_it_ends() {
        let (token, now) = (Token::default(), Instant::now());
        assert_eq!(token.get(now), None);
        let copy = token.clone();
        token.set(Some(("abc".to_owned(), now + Duration::from_secs(7_200))));
        assert_eq!(copy.get(now + Duration::from_secs(7_199)).as_deref(), Some("abc"));
        assert_eq!(copy.get(now + Duration::from_secs(7_200)), None);
        assert_eq!(format!("{token:?}"), "Token", "no secret in it");
    }

    /// The vendor's examples have these keys, and `safe`, `enable_id_trans` and `enable_duplicate_check`, which may be left out.
    #[test]
    fn a_request_is_as_the_vendor_documents_it() {
        let app = |format, to| WeComApp {
            url: SERVICE.to_owned(),
            corpid: "ww1".to_owned(),
            agentid: 1,
            secret: PathBuf::new(),
            to,
            format,
            ca_file: None,
            token: Token::default(),
        };
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let all = Recipients {
            users: names(&["UserID1", "UserID2", "UserID3"]),
            parties: names(&["PartyID1", "PartyID2"]),
            tags: names(&["TagID1", "TagID2"]),
        };
        let mut message = Message {
            title: "lamon error: ccd01".to_owned(),
            text: "ccd01 is <silent>".to_owned(),
            level: Level::Error,
            nodes: Vec::new(),
            route: "r".to_owned(),
            time: 0.0,
        };
        assert_eq!(
            app(Format::Text, all).body(&message),
            json!({
                "touser": "UserID1|UserID2|UserID3",
                "toparty": "PartyID1|PartyID2",
                "totag": "TagID1|TagID2",
                "msgtype": "text",
                "agentid": 1,
                "text": {"content": "lamon error: ccd01\nccd01 is <silent>"},
            })
        );
        let one = Recipients { users: names(&["@all"]), ..Recipients::default() };
        let content = "**<font color=\"warning\">lamon error: ccd01</font>**\nccd01 is &lt;silent>";
        assert_eq!(
            app(Format::Markdown, one.clone()).body(&message),
            json!({"touser": "@all", "msgtype": "markdown", "agentid": 1, "markdown": {"content": content}})
        );
        message.text = "望".repeat(2_000);
        for (format, kind) in [(Format::Text, "text"), (Format::Markdown, "markdown")] {
            let body = app(format, one.clone()).body(&message);
            let content = body[kind]["content"].as_str().unwrap();
            assert!(content.len() <= 2_048 && content.ends_with('…'), "{}", content.len());
        }
    }
}

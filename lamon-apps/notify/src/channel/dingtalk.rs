//! A DingTalk group robot (open.dingtalk.com, "Custom robot access"): JSON to the robot's address, signed in the query.

use std::path::PathBuf;

use serde_json::json;

use super::Failure;
use super::http::{self, Url};
use super::{cut, secret, sign};
use crate::notice::Message;

/// The longest text: DingTalk takes 20,000 bytes a message.
const MAX_BYTES: usize = 16_000;

/// The robot.
#[derive(Debug, Clone)]
pub(crate) struct DingTalk {
    pub(crate) url: Url,
    /// The robot's signing secret, when its security setting is the signature.
    pub(crate) secret: Option<PathBuf>,
}

impl DingTalk {
    pub(super) fn deliver(&self, message: &Message, now_ms: u128) -> Result<(), Failure> {
        let content = cut(&format!("{}\n{}", message.title, message.text), MAX_BYTES);
        let body = json!({"msgtype": "text", "text": {"content": content}});
        http::post_to_robot(&self.signed(now_ms)?, &body, "errcode", "errmsg")
    }

    fn signed(&self, now_ms: u128) -> Result<String, String> {
        let url = self.url.read()?;
        let Some(path) = &self.secret else { return Ok(url) };
        let sign = sign::percent_encoded(&sign::dingtalk(now_ms, &secret(path)?));
        let mark = if url.contains('?') { '&' } else { '?' };
        Ok(format!("{url}{mark}timestamp={now_ms}&sign={sign}"))
    }

    pub(super) fn check(&self) -> Result<(), String> {
        self.signed(0).map(drop)
    }
}

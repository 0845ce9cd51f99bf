//! A Feishu group robot (open.feishu.cn, "Custom bot usage guide"): JSON to the robot's address, signed in the body.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::Failure;
use super::http::{self, Url};
use super::{cut, secret, sign};
use crate::notice::Message;

/// The longest text: Feishu takes 20 KB a request.
const MAX_BYTES: usize = 16_000;

/// The robot.
#[derive(Debug, Clone)]
pub(crate) struct Feishu {
    pub(crate) url: Url,
    /// The robot's signing secret, when it verifies signatures.
    pub(crate) secret: Option<PathBuf>,
}

impl Feishu {
    pub(super) fn deliver(&self, message: &Message, now: u64) -> Result<(), Failure> {
        let url = self.url.read()?;
        http::post_to_robot(&url, &self.body(message, now)?, "code", "msg")
    }

    fn body(&self, message: &Message, now: u64) -> Result<Value, String> {
        let content = cut(&format!("{}\n{}", message.title, message.text), MAX_BYTES);
        let Some(path) = &self.secret else {
            return Ok(json!({"msg_type": "text", "content": {"text": content}}));
        };
        let sign = sign::feishu(now, &secret(path)?);
        let timestamp = now.to_string();
        Ok(json!({"timestamp": timestamp, "sign": sign, "msg_type": "text", "content": {"text": content}}))
    }

    pub(super) fn check(&self) -> Result<(), String> {
        self.url.read()?;
        self.secret.as_deref().map_or(Ok(()), |path| secret(path).map(drop))
    }
}

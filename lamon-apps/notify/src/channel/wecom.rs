//! A WeCom group robot (developer.work.weixin.qq.com/document/path/91770): JSON to the robot's address.

use lamon_bus::Level;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Failure;
use super::cut;
use super::http::{self, Url};
use crate::notice::Message;

/// The longest content that WeCom takes, in bytes: markdown 4,096, text 2,048.
const MAX_BYTES: (usize, usize) = (4_096, 2_048);

/// How a message looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    /// With a coloured title. WeChat itself, outside of WeCom, does not show it.
    #[default]
    Markdown,
    /// Plain text.
    Text,
}

/// The robot.
#[derive(Debug, Clone)]
pub(crate) struct WeCom {
    pub(crate) url: Url,
    pub(crate) format: Format,
}

impl WeCom {
    pub(super) fn deliver(&self, message: &Message) -> Result<(), Failure> {
        http::post_to_robot(&self.url.read()?, &said(self.format, message, MAX_BYTES), "errcode", "errmsg")
    }
}

/// The parts of a request that say something, as robots and applications share them; `most` bytes of markdown and of text.
pub(super) fn said(format: Format, message: &Message, most: (usize, usize)) -> Value {
    match format {
        Format::Markdown => {
            // It has three colours: info is green, comment grey, warning orange.
            let colour = if message.level == Level::Good { "info" } else { "warning" };
            let text = message.text.replace('<', "&lt;");
            let content = format!("**<font color=\"{colour}\">{}</font>**\n{text}", message.title);
            json!({"msgtype": "markdown", "markdown": {"content": cut(&content, most.0)}})
        }
        Format::Text => {
            let content = format!("{}\n{}", message.title, message.text);
            json!({"msgtype": "text", "text": {"content": cut(&content, most.1)}})
        }
    }
}

//! A WeCom group robot (developer.work.weixin.qq.com/document/path/91770): JSON to the robot's address.

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
        http::post_to_robot(&self.url.read()?, &self.body(message), "errcode", "errmsg")
    }

    fn body(&self, message: &Message) -> Value {
        match self.format {
            Format::Markdown => {
                let colour = match message.level {
                    lamon_bus::Level::Good => "info",
                    lamon_bus::Level::Warning => "warning",
                    _ => "red",
                };
                let text = message.text.replace('<', "&lt;");
                let content = format!("**<font color=\"{colour}\">{}</font>**\n{text}", message.title);
                json!({"msgtype": "markdown", "markdown": {"content": cut(&content, MAX_BYTES.0)}})
            }
            Format::Text => {
                let content = format!("{}\n{}", message.title, message.text);
                json!({"msgtype": "text", "text": {"content": cut(&content, MAX_BYTES.1)}})
            }
        }
    }
}

//! Limits that operators set while the hub runs, over those of the configuration.

use serde::{Deserialize, Serialize};

/// The limits of a rule, or of one value, as an operator set them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// A rule by its name; with a metric, a node.
    pub target: String,
    /// The metric of the node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// Where warning begins, in the metric's unit; none when nothing warns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<f64>,
    /// Where error begins; none when there is no error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<f64>,
    /// Why, where somebody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who set them.
    pub who: String,
    /// When he did, unix milliseconds UTC.
    pub made_ms: i64,
}

impl Threshold {
    /// What they are for: `disk`, `ccd01 disk_percent`.
    #[must_use]
    pub fn about(&self) -> String {
        match &self.metric {
            None => self.target.clone(),
            Some(metric) => format!("{} {metric}", self.target),
        }
    }
}

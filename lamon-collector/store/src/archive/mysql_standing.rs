//! What a MySQL server says of itself: whether it may be written to, and how it stands in a Galera cluster.
//!
//! Variables: MariaDB "Replication and Binary Log System Variables", MySQL `super_read_only`, Galera "Status Variables".

use mysql_async::{Conn, prelude::Queryable};

/// The questions. Both are answered by a Galera node that has left its cluster, which refuses most others.
const VARIABLES: &str = "SHOW GLOBAL VARIABLES WHERE Variable_name IN \
    ('read_only', 'super_read_only', 'innodb_read_only', 'wsrep_on')";
const STATUS: &str = "SHOW GLOBAL STATUS WHERE Variable_name IN \
    ('wsrep_ready', 'wsrep_cluster_status', 'wsrep_local_state_comment')";

/// How a server stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Standing(Vec<(String, String)>);

impl Standing {
    /// Asks it.
    pub(super) async fn ask(connection: &mut Conn) -> Result<Self, mysql_async::Error> {
        let mut said: Vec<(String, String)> = connection.query(VARIABLES).await?;
        said.extend(connection.query::<(String, String), _>(STATUS).await?);
        Ok(Self(said))
    }

    /// Whether it replicates by Galera.
    pub(super) fn is_galera(&self) -> bool {
        self.is_on("wsrep_on")
    }

    /// Why it will not do, a clause about "it"; none when it will.
    pub(super) fn unfit(&self, to_write: bool) -> Option<String> {
        if self.is_galera() {
            let cluster = self.said("wsrep_cluster_status").unwrap_or("unknown");
            if cluster != "Primary" {
                return Some(format!(
                    "it is cut off from the majority of its Galera cluster (wsrep_cluster_status is {cluster})"
                ));
            }
            if !self.is_on("wsrep_ready") {
                let state = self.said("wsrep_local_state_comment").unwrap_or("unknown");
                return Some(format!("it is not ready in its Galera cluster yet (its state is {state})"));
            }
        }
        // Asked even where the user could write all the same: a replica that is written to is no replica any more.
        let read_only = ["read_only", "super_read_only", "innodb_read_only"].iter().find(|name| {
            // MariaDB 12 knows more kinds of ON.
            self.said(name).is_some_and(|value| !matches!(value, "OFF" | "0"))
        });
        read_only.filter(|_| to_write).map(|name| format!("it only reads, as replicas do ({name} is on)"))
    }

    fn said(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(said, _)| said.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    fn is_on(&self, name: &str) -> bool {
        self.said(name).is_some_and(|value| value == "ON" || value == "1")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unfit(said: &[(&str, &str)], to_write: bool) -> Option<String> {
        Standing(said.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()).unfit(to_write)
    }

    #[test]
    fn what_will_do() {
        let galera = |cluster, ready| {
            [
                ("read_only", "OFF"),
                ("wsrep_on", "ON"),
                ("wsrep_cluster_status", cluster),
                ("wsrep_ready", ready),
                ("wsrep_local_state_comment", "Joining"),
            ]
        };
        for (said, to_write) in [
            (&[("read_only", "OFF"), ("super_read_only", "OFF")][..], true),
            // A server that was built with Galera and does not use it.
            (&[("read_only", "0"), ("wsrep_on", "OFF"), ("wsrep_cluster_status", "Disconnected")], true),
            (&[("read_only", "ON")], false),
            (&galera("Primary", "ON"), true),
            (&[], true),
        ] {
            assert_eq!(unfit(said, to_write), None, "{said:?}");
        }
        for (said, to_write, why) in [
            (&[("read_only", "ON")][..], true, "read_only"),
            (&[("read_only", "NO_LOCK")], true, "read_only"),
            (&[("read_only", "OFF"), ("super_read_only", "ON")], true, "super_read_only"),
            (&[("innodb_read_only", "1")], true, "innodb_read_only"),
            (&galera("non-Primary", "OFF"), false, "cut off"),
            (&galera("Disconnected", "OFF"), true, "cut off"),
            (&galera("Primary", "OFF"), false, "Joining"),
        ] {
            let reason = unfit(said, to_write).unwrap();
            assert!(reason.contains(why), "{said:?}: {reason}");
        }
    }
}

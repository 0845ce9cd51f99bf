//! Kinds of events in other languages: the hub's sentence is English, its kind is one of a list (`docs/bus.md`).

/// Chinese.
pub(crate) const ZH_CN: &[(&str, &str)] = &[
    ("level", "级别变化"),
    ("silent", "失联"),
    ("back", "恢复联系"),
    ("common_silence", "多节点同时失联"),
    ("common_back", "多节点恢复联系"),
    ("hub_cut_off", "中心可能断网"),
    ("hub_paused", "中心曾停顿"),
    ("hub_clock_suspected", "中心时钟可疑"),
    ("hub_clock_trusted", "中心时钟恢复可信"),
    ("unknown", "指标不再上报"),
    ("known", "指标恢复上报"),
    ("flapping", "级别反复变化"),
    ("steady", "级别恢复稳定"),
    ("reboot", "节点重启"),
    ("replaced", "连接被取代"),
    ("refused", "拒绝接入"),
    ("protocol", "协议错误"),
    ("key_waiting", "密钥待批准"),
    ("key_approved", "密钥已批准"),
    ("key_revoked", "密钥已撤销"),
    ("key_refused", "密钥被拒绝"),
    ("key_cloned", "密钥重复使用"),
    ("key_failed", "中心密钥不可用"),
    ("join", "接入口令"),
    ("journal_failed", "日志写入失败"),
    ("journal_recovered", "日志恢复"),
    ("journal_unreadable", "日志无法读取"),
    ("clock_jumped", "时钟跳变"),
    ("database_failed", "数据库故障"),
    ("database_recovered", "数据库恢复"),
    ("dead_letter", "样本被数据库拒绝"),
    ("upkeep_failed", "数据库维护失败"),
    ("muted", "静音"),
    ("unmuted", "取消静音"),
    ("acknowledged", "已确认"),
    ("ack_ended", "确认结束"),
    ("limits_set", "设置阈值"),
    ("limits_reset", "恢复阈值"),
    ("limits_unused", "阈值不再适用"),
    ("forgotten", "节点已移除"),
    ("gate_closed", "闸门关闭"),
    ("gate_opened", "闸门打开"),
    ("gate_would_close", "闸门将会关闭"),
    ("gate_would_open", "闸门将会打开"),
    ("gate_overridden", "闸门被放行"),
    ("gate_override_ended", "闸门放行结束"),
    ("settings_failed", "设置无法保存"),
    ("settings_recovered", "设置恢复保存"),
    ("not_ready", "今夜未就绪"),
    ("ready", "今夜已就绪"),
    ("reload", "配置已重新读取"),
    ("reload_failed", "配置重新读取失败"),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// They are those of the table in `docs/bus.md`; of a kind that is newer the sentence is shown alone.
    #[test]
    fn every_word_is_of_a_kind_that_the_bus_has() {
        let page = include_str!("../../../docs/bus.md");
        let table = page.split("| `kind` | what happened |").nth(1).unwrap().split("\n\n").next().unwrap();
        let cells = table.lines().skip(2).map(|line| line.split('|').nth(1).unwrap());
        let documented: Vec<&str> = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
        for (kind, word) in ZH_CN {
            assert!(documented.contains(kind), "{kind}");
            assert!(
                !word.is_empty() && ZH_CN.iter().filter(|(other, _)| other == kind).count() == 1,
                "{kind}"
            );
        }
        let without: Vec<_> =
            documented.iter().filter(|kind| !ZH_CN.iter().any(|(known, _)| known == *kind)).collect();
        println!("kinds without a word: {without:?}");
        assert!(without.len() < documented.len() / 4, "{without:?}");
    }
}

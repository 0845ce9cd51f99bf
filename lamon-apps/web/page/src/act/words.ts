// The words of what operators do, in both languages. What the hub says stays as it says it.
import { chinese } from "../words";

const en = {
  operators: "Operators", mute: "Mute…", acknowledge: "Acknowledge…", limits: "Limits…", limitsOf: "Limits of", muteOf: "Mute", ackOf: "Acknowledge",
  note: "Note", forHow: "For", hours: "h", days: "d", warning: "Warning", error: "Error", none: "empty: no limit", set: "Set", reset: "As configured",
  cancel: "Cancel", end: "End", away: "lamon-web does not answer.", events: "events in the shown time, with the limits of now", would: "would have made",
  muteHelp: "It neither gates nor notifies meanwhile.", ackHelp: "Somebody knows: until it is well again or gets worse.",
  mutes: "Mutes", acks: "Acknowledged", overrides: "Overridden gates", changed: "Limits that were changed", gates: "Gates", nothing: "None.",
  target: "Which", until: "Until", who: "Who", why: "Why", when: "When", metric: "Metric", open: "open", closed: "closed",
  would_close: "would close", override: "Override…", release: "Release", overrideOf: "Override gate", overrideHelp: "It blocks nothing meanwhile, though its condition holds.",
  waiting: "Waits to be approved", approved: "Keys of nodes", key: "Key", from: "From", approve: "Approve…", revoke: "Revoke…", revokeOf: "Revoke the key of",
  approveOf: "Approve", approveHelp: "Compare the key with what lamon-agent key prints on the node:", replaces: "another key than before!",
  position: "Is", sure: "End this?", weekly: "weekly", forever: "until it is ended", whole: "all", close: "Close", really: "Have the configuration's limits hold again?",
};

const zh: typeof en = {
  operators: "值班操作", mute: "静音…", acknowledge: "确认知晓…", limits: "限值…", limitsOf: "限值：", muteOf: "静音：", ackOf: "确认知晓：",
  note: "说明", forHow: "时长", hours: "小时", days: "天", warning: "警告", error: "错误", none: "留空：无限值", set: "设定", reset: "恢复配置值",
  cancel: "取消", end: "结束", away: "lamon-web 没有应答。", events: "次事件（所示时段），现有限值为", would: "将产生",
  muteHelp: "期间不联锁，也不通知。", ackHelp: "已有人知晓：直到恢复正常或恶化。",
  mutes: "静音", acks: "已知晓", overrides: "已解除的联锁", changed: "改动过的限值", gates: "联锁", nothing: "无。",
  target: "对象", until: "直到", who: "操作者", why: "原因", when: "时间", metric: "指标", open: "开放", closed: "关闭",
  would_close: "本应关闭", override: "解除…", release: "恢复", overrideOf: "解除联锁：", overrideHelp: "期间即使条件成立也不阻止任何操作。",
  waiting: "等待批准", approved: "节点密钥", key: "密钥", from: "来自", approve: "批准…", revoke: "吊销…", revokeOf: "吊销密钥：",
  approveOf: "批准", approveHelp: "请与该节点上 lamon-agent key 的输出核对：", replaces: "与之前的密钥不同！",
  position: "状态", sure: "确定结束？", weekly: "每周", forever: "直到手动结束", whole: "全部", close: "关闭窗口", really: "恢复配置文件中的限值？",
};

export type Word = keyof typeof en;

export function say(key: Word): string {
  return (chinese.value ? zh : en)[key];
}

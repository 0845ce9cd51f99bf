// The page's words in both languages. What the hub says stays as it says it.
import { signal } from "@preact/signals";

const en = {
  search: "Search nodes", nodes: "Nodes", events: "Events", back: "All nodes", language: "中文", metric: "Metric",
  value: "Value", level: "Level", taken: "Taken", rule: "Rule", none: "No node is known yet.",
  noEvents: "Nothing has happened yet.", noMatch: "No node matches.", gone: "This node is not known.",
  connecting: "Connecting…", away: "The hub is not heard: everything is as it was last.", heard: "heard", ago: "ago", never: "never",
  agents: "agents", rate: "samples/s", stored: "stored", backlog: "wait for the archive", group: "Group", all: "All groups",
  good: "good", warning: "warning", error: "error", silent: "silent", hub: "hub",
  cpu_percent: "CPU", memory_percent: "Memory", disk_percent: "Disk", net: "Network", time: "Time", node: "Node", text: "What",
  why: "Worst", muted: "muted", acknowledged: "known", unknown: "no longer comes", flapping: "flips", since: "Since",
  night: "night", day: "day", notReady: "not ready for the night:", nightsLeft: "nights until a disk is full", database: "archive:",
  journal: "journal:",
};

const zh: typeof en = {
  search: "搜索节点", nodes: "节点", events: "事件", back: "所有节点", language: "English", metric: "指标",
  value: "数值", level: "级别", taken: "采样时间", rule: "规则", none: "尚无节点。",
  noEvents: "尚无事件。", noMatch: "没有匹配的节点。", gone: "没有这个节点。",
  connecting: "正在连接…", away: "收不到中心的消息：显示的是最后的状态。", heard: "收到于", ago: "前", never: "从未",
  agents: "个代理", rate: "样本/秒", stored: "已存储", backlog: "等待存档", group: "组", all: "所有组",
  good: "正常", warning: "警告", error: "错误", silent: "无消息", hub: "中心",
  cpu_percent: "CPU", memory_percent: "内存", disk_percent: "磁盘", net: "网络", time: "时间", node: "节点", text: "内容",
  why: "最差", muted: "已静音", acknowledged: "已知晓", unknown: "不再上报", flapping: "反复变化", since: "自",
  night: "夜间", day: "白天", notReady: "今夜未就绪：", nightsLeft: "夜后磁盘写满", database: "存档：",
  journal: "日志：",
};

export const chinese = signal(stored() ?? navigator.language.toLowerCase().startsWith("zh"));

function stored(): boolean | null {
  try {
    const language = localStorage.getItem("lamon.language");
    return language === null ? null : language === "zh";
  } catch {
    return null;
  }
}

export function word(key: keyof typeof en): string {
  return (chinese.value ? zh : en)[key];
}

export function switchLanguage(): void {
  chinese.value = !chinese.value;
  document.documentElement.lang = chinese.value ? "zh-CN" : "en";
  try {
    localStorage.setItem("lamon.language", chinese.value ? "zh" : "en");
  } catch {
    // Then it is asked of the browser the next time.
  }
}

// The page's words in Chinese; none may be missing.
import type { en } from "./en";

export const zh: typeof en = {
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
  compare: "比较", heat: "热图", multiples: "逐个查看", multiplesAre: "虚线为全体中位数", outliers: "个与众不同", noOutliers: "没有与众不同的节点。",
  apart: "偏离", median: "中位数", unlikeFirst: "最不同的排前", heatKeys: "方向键移动单元格，回车键显示节点。",
  latest: "最新", kind: "类型", filter: "筛选", allLevels: "所有级别", orWorse: "及以上", everything: "清除",
  nightPages: "夜报", nightOf: "夜报", print: "打印", completeness: "数据完整度：", ofNodes: "/", withProblems: "个节点有问题", timesBlocked: "次阻止",
  blocked: "被阻止", nothingBlocked: "没有被阻止的。", problems: "问题", noProblems: "一切正常。", gate: "门控", duration: "持续",
  notOver: "未结束", missing: "缺失数据", nothingMissing: "没有缺失。", more: "内容过多：最早开始的未列出。",
  unreachable: "lamon-web 没有回应。", range: "时间范围", from: "从", to: "到", live: "实时",
  last_1h: "1 小时", last_6h: "6 小时", last_1d: "1 天", last_1w: "1 周", last_1m: "1 个月", last_1y: "1 年", last_all: "全部",
  earlier: "更早", later: "更晚", closer: "放大", wider: "缩小", metrics: "曲线", with: "添加节点", without: "移除",
  noHistory: "只显示打开本页以来的数据：", nothingStored: "没有样本", lowest: "最低", highest: "最高", limit: "阈值",
  curveKeys: "方向键平移，加减号缩放，Home 键回到实时。拖动缩放，按住 Shift 拖动平移，获得焦点后可用滚轮。",
  samples: "样本", newer: "较新", older: "较旧", page: "第", csv: "下载 CSV", now: "当前", disks: "磁盘", full: "已用",
  free: "可用", perNight: "繁忙的一夜增加", nights: "剩余夜数",
};

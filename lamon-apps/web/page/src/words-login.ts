// The words of who may do what, in both languages.
import { chinese } from "./words";

const en = {
  logIn: "Log in", logOut: "Log out", user: "User", password: "Password", cancel: "Cancel",
  wrong: "The name or the password is wrong.", wait: "Too many wrong passwords. Seconds to wait:",
  away: "lamon-web does not answer.", required: "Log in to see the nodes.", loggedIn: "Logged in as",
  view: "may look", operate: "may operate", admin: "administrator",
};

const zh: typeof en = {
  logIn: "登录", logOut: "退出", user: "用户", password: "密码", cancel: "取消",
  wrong: "用户名或密码不正确。", wait: "密码错误次数过多，请等待（秒）：",
  away: "lamon-web 没有应答。", required: "请登录后查看节点。", loggedIn: "当前用户",
  view: "只可查看", operate: "可以操作", admin: "管理员",
};

export function say(key: keyof typeof en): string {
  return (chinese.value ? zh : en)[key];
}

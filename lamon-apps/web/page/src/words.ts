// The page's words in both languages. What the hub says stays as it says it.
import { signal } from "@preact/signals";
import { en } from "./words/en";
import { zh } from "./words/zh";

export type Word = keyof typeof en;

export const chinese = signal(stored() ?? navigator.language.toLowerCase().startsWith("zh"));

function stored(): boolean | null {
  try {
    const language = localStorage.getItem("lamon.language");
    return language === null ? null : language === "zh";
  } catch {
    return null;
  }
}

export function word(key: Word): string {
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

package io.tinyfaas.manager.text;

/**
 * Text of others that somebody will read on a terminal: what would move its cursor, change its
 * title or colours, or end a line of a log is shown as it is written in C.
 */
public final class PlainText {

  private PlainText() {}

  /** With {@code \x1b} for an escape, and so for every control character but the tab. */
  public static String of(String text) {
    if (text.chars().noneMatch(PlainText::isControl)) {
      return text;
    }
    StringBuilder plain = new StringBuilder(text.length() + 16);
    for (int i = 0; i < text.length(); i++) {
      char each = text.charAt(i);
      if (isControl(each)) {
        plain.append("\\x%02x".formatted((int) each));
      } else {
        plain.append(each);
      }
    }
    return plain.toString();
  }

  /** Of C0, C1, or DEL. */
  private static boolean isControl(int character) {
    return Character.isISOControl(character) && character != '\t';
  }

  /** What a caller sent, fit to stand in a message: short and without control characters. */
  public static String quoted(String text) {
    String shown = text.length() > 60 ? text.substring(0, 60) + "…" : text;
    return '"' + shown.replaceAll("\\p{Cntrl}", "?") + '"';
  }
}

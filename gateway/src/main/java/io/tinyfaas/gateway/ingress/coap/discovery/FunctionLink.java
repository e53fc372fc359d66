package io.tinyfaas.gateway.ingress.coap.discovery;

import io.tinyfaas.contract.route.Exposure.Observable;
import io.tinyfaas.contract.route.Route;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * A function's link (RFC 6690, 2): where it is, and attributes by name. Californium's own link
 * format escapes no quotes and knows no prefixes in lists, so it is not used.
 */
final class FunctionLink {

  private static final String HREF = "href";
  private static final String OBSERVABLE = "obs";

  /** Whose values are lists, separated by spaces: each counts for itself. */
  private static final Set<String> LISTS = Set.of("rt", "if", "ct", "rel", "rev");

  /** Always quoted, whatever they look like (RFC 6690, 2): a number is no title. */
  private static final Set<String> QUOTED = Set.of("title", "rt", "if");

  private static final Pattern CARDINAL = Pattern.compile("0|[1-9]\\d*");

  private final String href;
  private final Map<String, String> attributes;

  FunctionLink(Route route) {
    this.href = "/" + route.function();
    this.attributes = new TreeMap<>(route.exposure().link());
    attributes.remove(OBSERVABLE);
    if (route.exposure().observable() != Observable.NO) {
      attributes.put(OBSERVABLE, "");
    }
  }

  /** As it stands in the list of links. */
  @Override
  public String toString() {
    StringBuilder link = new StringBuilder("<").append(href).append('>');
    attributes.forEach(
        (name, value) -> {
          link.append(';').append(name);
          if (CARDINAL.matcher(value).matches() && !QUOTED.contains(name)) {
            link.append('=').append(value);
          } else if (!value.isEmpty() || QUOTED.contains(name)) {
            link.append("=\"").append(escaped(value)).append('"');
          }
        });
    return link.toString();
  }

  private static String escaped(String value) {
    return value.replace("\\", "\\\\").replace("\"", "\\\"");
  }

  /**
   * Whether a filter lets it through (RFC 6690, 4.1).
   *
   * @param filter NAME=VALUE, with an asterisk at the end for any value that begins so; or NAME for
   *     links that have the attribute at all
   */
  boolean matches(String filter) {
    int end = filter.indexOf('=');
    String name = end < 0 ? filter : filter.substring(0, end);
    String value = name.equals(HREF) ? href : attributes.get(name);
    if (value == null || end < 0) {
      return value != null;
    }
    String wanted = filter.substring(end + 1);
    return matches(value, 0, value.length(), wanted)
        || LISTS.contains(name) && isAmong(value, wanted);
  }

  /** Whether one of the values that spaces separate is the one that is wanted. */
  private static boolean isAmong(String values, String wanted) {
    int from = 0;
    for (int to = values.indexOf(' '); to >= 0; to = values.indexOf(' ', from)) {
      if (from < to && matches(values, from, to, wanted)) {
        return true;
      }
      from = to + 1;
    }
    return from < values.length() && matches(values, from, values.length(), wanted);
  }

  private static boolean matches(String text, int from, int to, String wanted) {
    boolean prefix = wanted.endsWith("*");
    int length = prefix ? wanted.length() - 1 : wanted.length();
    return (prefix ? length <= to - from : length == to - from)
        && text.regionMatches(from, wanted, 0, length);
  }
}

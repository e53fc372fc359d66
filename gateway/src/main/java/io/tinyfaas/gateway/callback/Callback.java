package io.tinyfaas.gateway.callback;

import io.tinyfaas.contract.control.CallDescription;
import io.tinyfaas.contract.mqtt.TopicFilter;
import io.tinyfaas.contract.route.FunctionName;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Locale;

/** Who is told what has become of a call. */
public sealed interface Callback {

  String MQTT = "mqtt:";

  int MAX_URL = 512;

  /** As long as {@link #destination} is: it is kept in memory for each call that tells. */
  int MAX_DESTINATION = CallDescription.MAX_CALLBACK;

  /** A function of this box. */
  record OfFunction(FunctionName function) implements Callback {
    @Override
    public String text() {
      return function.value();
    }
  }

  /** A topic of the devices' broker, at which the answer is published. */
  record ToTopic(String topic) implements Callback {

    /**
     * @throws IllegalArgumentException if nothing is published there, with a message for whoever
     *     has named it
     */
    public ToTopic {
      if (!TopicFilter.isTopic(topic)) {
        throw new IllegalArgumentException(
            "a topic has no wildcards, and else " + TopicFilter.RULE);
      }
      if (topic.startsWith("$") || topic.equals("functions") || topic.startsWith("functions/")) {
        throw new IllegalArgumentException(
            "the topic begins with $ or functions/: those are the broker's and the gateway's own");
      }
    }

    @Override
    public String text() {
      return MQTT + topic;
    }
  }

  /** A server, to which the answer is sent by POST. */
  record ToUrl(URI url) implements Callback {

    /**
     * @throws IllegalArgumentException if it is no such URL, with a message for whoever has named
     *     it
     */
    public ToUrl {
      boolean isHttp = "http".equals(url.getScheme()) || "https".equals(url.getScheme());
      if (!isHttp
          || url.getHost() == null
          || url.getRawUserInfo() != null
          || url.getPort() == 0
          || url.getPort() > 65_535
          || url.toString().length() > MAX_URL) {
        throw new IllegalArgumentException(
            "a URL is http://HOST/… or https://HOST/… of at most "
                + MAX_URL
                + " characters, without a user's name");
      }
    }

    boolean isEncrypted() {
      return url.getScheme().equals("https");
    }

    int port() {
      return url.getPort() >= 0 ? url.getPort() : isEncrypted() ? 443 : 80;
    }

    /** An address in brackets is one without them to all but URLs. */
    String host() {
      return url.getHost().replaceAll("[\\[\\]]", "");
    }

    /** What the server is asked for. */
    String target() {
      String path = url.getRawPath().isEmpty() ? "/" : url.getRawPath();
      return url.getRawQuery() == null ? path : path + '?' + url.getRawQuery();
    }

    @Override
    public String text() {
      return url.toString();
    }
  }

  /** As clients write it, and as it is kept. */
  String text();

  /**
   * What people may see of it, and what takes turns with others: a topic, or of a URL only its
   * server, since what follows may be a secret. At most {@value #MAX_DESTINATION} characters.
   */
  default String destination() {
    String whole =
        switch (this) {
          case OfFunction of -> of.text();
          case ToTopic to -> to.text();
          case ToUrl to -> to.url().getScheme() + "://" + to.url().getHost() + ':' + to.port();
        };
    if (whole.length() <= MAX_DESTINATION) {
      return whole;
    }
    boolean cutsCharacter = Character.isLowSurrogate(whole.charAt(MAX_DESTINATION));
    return whole.substring(0, MAX_DESTINATION - (cutsCharacter ? 1 : 0));
  }

  /**
   * @throws IllegalArgumentException if it is none, with a message for whoever has named it
   */
  static Callback parse(String text) {
    if (text.startsWith(MQTT)) {
      return new ToTopic(text.substring(MQTT.length()));
    }
    if (text.indexOf(':') >= 0) {
      return new ToUrl(url(text));
    }
    if (!FunctionName.isValid(text)) {
      throw new IllegalArgumentException(
          "it is the name of a function of this box, mqtt: and a topic, or a URL");
    }
    return new OfFunction(new FunctionName(text));
  }

  private static URI url(String text) {
    int colon = text.indexOf(':');
    try {
      if (text.length() <= MAX_URL) {
        return new URI(text.substring(0, colon).toLowerCase(Locale.ROOT) + text.substring(colon));
      }
    } catch (URISyntaxException e) {
      // Said where it is none for other reasons.
    }
    return URI.create("none:");
  }
}

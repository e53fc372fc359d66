package io.tinyfaas.manager.api.access;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.quarkus.runtime.Startup;
import io.quarkus.runtime.configuration.ConfigurationException;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

/**
 * Who may call: whoever sends the token, or, with {@code TINYFAAS_AUTH=none}, whoever is on this
 * box and no web page of somebody else's in a browser on it.
 */
@Startup
@Singleton
public class AccessPolicy {

  private static final Logger LOG = Logger.getLogger(AccessPolicy.class);

  private static final int MIN_TOKEN_LENGTH = 16;
  private static final int MAX_TOKEN_LENGTH = 1024;

  /** The characters of RFC 6750, section 2.1. */
  private static final Pattern TOKEN = Pattern.compile("[A-Za-z0-9._~+/-]+=*");

  private static final Pattern LOOPBACK =
      Pattern.compile("localhost|127\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}|::1|\\[::1]");

  /** Of a client that is no browser, of a page of ours, of what people type. */
  private static final Set<String> OWN_SITES = Set.of("", "same-origin", "none");

  private static final Pattern BEARER = Pattern.compile("(?i)bearer +(\\S+) *");

  /** Empty where everybody on the box may call. */
  private final Optional<byte[]> token;

  /**
   * @param bind the address of the box that the port is published on
   * @throws ConfigurationException if the settings leave the manager open by mistake
   */
  AccessPolicy(
      @ConfigProperty(name = "tinyfaas.auth") String auth,
      @ConfigProperty(name = "tinyfaas.token") Optional<String> token,
      @ConfigProperty(name = "tinyfaas.token-file") Optional<Path> tokenFile,
      @ConfigProperty(name = "tinyfaas.bind") Optional<String> bind) {
    this.token =
        switch (auth) {
          case "token" -> Optional.of(checked(token.or(() -> tokenFile.map(AccessPolicy::read))));
          case "none" -> {
            if (bind.filter(address -> !LOOPBACK.matcher(address).matches()).isPresent()) {
              throw new ConfigurationException(
                  "TINYFAAS_AUTH=none together with TINYFAAS_BIND="
                      + bind.get()
                      + " would let everybody on that network deploy: unset one of the two.");
            }
            LOG.warn("event=access-open: TINYFAAS_AUTH=none, everybody on this box may deploy");
            yield Optional.empty();
          }
          default ->
              throw new ConfigurationException(
                  "TINYFAAS_AUTH is \"" + auth + "\": use token, or none.");
        };
  }

  private static String read(Path file) {
    try {
      return Files.readString(file).strip();
    } catch (IOException e) {
      throw new ConfigurationException("TINYFAAS_TOKEN_FILE cannot be read: " + e);
    }
  }

  private static byte[] checked(Optional<String> token) {
    String value =
        token.orElseThrow(
            () ->
                new ConfigurationException(
                    "There is no token: set TINYFAAS_TOKEN or TINYFAAS_TOKEN_FILE, for instance to"
                        + " the output of 'openssl rand -hex 32'."));
    if (value.length() < MIN_TOKEN_LENGTH
        || value.length() > MAX_TOKEN_LENGTH
        || !TOKEN.matcher(value).matches()) {
      throw new ConfigurationException(
          "TINYFAAS_TOKEN has "
              + value.length()
              + " characters; it needs "
              + MIN_TOKEN_LENGTH
              + " to "
              + MAX_TOKEN_LENGTH
              + " letters, digits and ._~+/- such as 'openssl rand -hex 32' gives.");
    }
    return value.getBytes(UTF_8);
  }

  /**
   * @param authorization header, empty if there is none
   * @param host header, empty if there is none
   * @param origin header, empty if there is none
   * @param site the header Sec-Fetch-Site, empty if there is none
   * @throws ProblemException UNAUTHORIZED or FORBIDDEN
   */
  void check(String authorization, String host, String origin, String site) {
    if (token.isPresent()) {
      checkToken(token.get(), authorization);
    } else {
      checkLocal(host, origin, site);
    }
  }

  /**
   * For what is not everybody's who is on this box.
   *
   * @param what in the plural
   * @throws ProblemException FORBIDDEN if nobody has to show a token
   */
  public void requireToken(String what) {
    if (token.isEmpty()) {
      throw ProblemException.of(
          ProblemType.FORBIDDEN,
          "Without a token (TINYFAAS_AUTH=none) "
              + what
              + " are shown to nobody: set TINYFAAS_AUTH=token and send the token.");
    }
  }

  private static void checkToken(byte[] token, String authorization) {
    var bearer = BEARER.matcher(authorization);
    if (!bearer.matches()) {
      throw ProblemException.of(
          ProblemType.UNAUTHORIZED,
          "Send the token: -H \"Authorization: Bearer $TINYFAAS_TOKEN\". It is the manager's"
              + " TINYFAAS_TOKEN (compose/.env).");
    }
    // Takes as long for a nearly right token as for any other.
    if (!MessageDigest.isEqual(token, bearer.group(1).getBytes(UTF_8))) {
      throw ProblemException.of(
          ProblemType.UNAUTHORIZED,
          "This is not the token: it is the manager's TINYFAAS_TOKEN (compose/.env).");
    }
  }

  /**
   * A page in a browser can send requests here, also such as a browser does not ask for first, but
   * not without its origin, its relation to this site, or a foreign host.
   */
  private static void checkLocal(String host, String origin, String site) {
    String name = host.replaceFirst(":\\d*$", "");
    if (!LOOPBACK.matcher(name).matches()) {
      throw ProblemException.of(
          ProblemType.FORBIDDEN,
          "Without a token (TINYFAAS_AUTH=none) the manager answers to http://localhost only.");
    }
    if (!origin.isEmpty() && !origin.equalsIgnoreCase("http://" + host)
        || !OWN_SITES.contains(site)) {
      throw ProblemException.of(
          ProblemType.FORBIDDEN,
          "Without a token (TINYFAAS_AUTH=none) the manager takes no requests of web pages from"
              + " elsewhere.");
    }
  }
}

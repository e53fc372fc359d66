package io.tinyfaas.endtoend;

import org.junit.jupiter.api.function.Executable;

/**
 * One rule and the check that shows it.
 *
 * @param id of the test description, or the RFC and its section
 * @param objective what it asks, in a line
 * @param client who asks: never Californium, since that is what the gateway is made of
 */
record ConformanceCase(String id, String objective, String client, Executable check) {

  String name() {
    return id + " " + objective + " (" + client + ")";
  }
}

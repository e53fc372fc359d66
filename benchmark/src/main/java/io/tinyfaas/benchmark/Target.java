package io.tinyfaas.benchmark;

import java.net.URI;
import java.util.List;

/**
 * Something that answers requests.
 *
 * @param processes that work for it, for their processor time and memory
 */
record Target(String name, URI uri, List<WatchedProcess> processes) {

  Target {
    processes = List.copyOf(processes);
  }
}

package io.tinyfaas.manager.spec;

import static io.tinyfaas.manager.spec.SpecField.CALLS;
import static io.tinyfaas.manager.spec.SpecField.CPUS;
import static io.tinyfaas.manager.spec.SpecField.ENTRY;
import static io.tinyfaas.manager.spec.SpecField.ENVIRONMENT;
import static io.tinyfaas.manager.spec.SpecField.HANDLERS;
import static io.tinyfaas.manager.spec.SpecField.LABELS;
import static io.tinyfaas.manager.spec.SpecField.LINK;
import static io.tinyfaas.manager.spec.SpecField.MEMORY;
import static io.tinyfaas.manager.spec.SpecField.RUNTIME;
import static io.tinyfaas.manager.spec.SpecField.TIMEOUT;

import io.tinyfaas.contract.route.CallPolicy;
import io.tinyfaas.contract.route.Exposure;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.contract.route.Schedule;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * How a function runs. A value out of range is refused with a problem that names the field.
 *
 * @param runtime a runtime's name or alias; whether there is such a one is the deployer's to say
 * @param handlers how many containers, 1 to 28: twice as many find room in a function's network
 * @param environment variables of the function: at most 64, values of up to 4 KiB, 32 KiB together
 * @param memoryBytes limit of each handler, 16 MiB to 64 GiB
 * @param cpus limit of each handler in cores, 0.05 to 64
 * @param timeout of one invocation, 100 ms to 15 min, in whole milliseconds
 * @param networkAccess whether the function may open connections to the outside
 * @param labels for people and tools: at most 64, values of up to 256 bytes
 * @param entry the path in the archive of what is to be run, or of Java the class, where the
 *     runtime does not know it by its name; at most 255 characters
 * @param exposure how it shows itself to devices; at most 16 attributes of its link, with values of
 *     up to 256 bytes
 * @param calls what becomes of requests that the gateway accepts now and runs later
 * @param schedules when the function is called by the clock
 * @param mayCall the functions that it may call, itself among them if it says so; they need not be
 *     deployed. At most 32, no two alike
 */
public record FunctionSpec(
    String runtime,
    int handlers,
    Map<String, String> environment,
    long memoryBytes,
    double cpus,
    Duration timeout,
    boolean networkAccess,
    Map<String, String> labels,
    Optional<String> entry,
    Exposure exposure,
    CallPolicy calls,
    List<Schedule> schedules,
    List<FunctionName> mayCall) {

  /** Twice as many find room in a function's network. */
  public static final int MAX_HANDLERS = 28;

  public FunctionSpec {
    environment = Collections.unmodifiableMap(new TreeMap<>(environment));
    labels = Collections.unmodifiableMap(new TreeMap<>(labels));
    RUNTIME.check().accept(runtime);
    HANDLERS.check().accept(handlers);
    ENVIRONMENT.check().accept(environment);
    MEMORY.check().accept(memoryBytes);
    CPUS.check().accept(cpus);
    TIMEOUT.check().accept(timeout);
    LABELS.check().accept(labels);
    ENTRY.check().accept(entry);
    LINK.check().accept(exposure.link());
    CALLS.check().accept(mayCall);
    schedules = List.copyOf(schedules);
    mayCall = List.copyOf(mayCall);
    timeout = timeout.truncatedTo(ChronoUnit.MILLIS);
  }

  public FunctionSpec withHandlers(int number) {
    return with(runtime, number);
  }

  /** The same under the runtime's own name, where an alias was given. */
  public FunctionSpec withRuntime(String name) {
    return with(name, handlers);
  }

  private FunctionSpec with(String runtime, int handlers) {
    return new FunctionSpec(
        runtime,
        handlers,
        environment,
        memoryBytes,
        cpus,
        timeout,
        networkAccess,
        labels,
        entry,
        exposure,
        calls,
        schedules,
        mayCall);
  }
}

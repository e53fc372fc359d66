package io.tinyfaas.manager.handler;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.async.ResultCallback;
import com.github.dockerjava.api.exception.NotFoundException;
import com.github.dockerjava.api.model.Event;
import com.github.dockerjava.api.model.EventType;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.manager.engine.Engine;
import io.tinyfaas.manager.engine.EngineSettings;
import io.tinyfaas.manager.engine.HostAddresses;
import io.tinyfaas.manager.engine.Labels;
import io.tinyfaas.manager.engine.LongCalls;
import io.tinyfaas.manager.network.FunctionNetworks;
import io.tinyfaas.manager.network.HostFirewall;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.IOException;
import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What the engine holds of this installation, and when that changes. */
@ApplicationScoped
public class EngineInventory {

  /** An engine is restarted within a few seconds. */
  private static final Duration LOST = Duration.ofSeconds(15);

  /** Roles of containers that are there only while a manager waits for them, or asks there. */
  private static final Set<String> PASSING = Set.of("build", HostFirewall.ROLE, HostAddresses.ROLE);

  private final DockerClient docker;
  private final DockerClient longCalls;
  private final EngineSettings settings;
  private final HandlerContainers containers;

  /** By {@link System#nanoTime}; 0 while the engine answers. */
  private final AtomicLong refusedSince = new AtomicLong();

  private final FunctionNetworks networks;

  EngineInventory(
      DockerClient docker,
      @LongCalls DockerClient longCalls,
      EngineSettings settings,
      HandlerContainers containers,
      FunctionNetworks networks) {
    this.docker = docker;
    this.longCalls = longCalls;
    this.settings = settings;
    this.containers = containers;
    this.networks = networks;
  }

  public Map<FunctionName, List<HandlerContainer>> handlers() {
    List<HandlerContainer> handlers;
    try {
      handlers = containers.list();
    } catch (RuntimeException e) {
      refusedSince.compareAndSet(0, Engine.isRefused(e) ? System.nanoTime() : 0);
      throw e;
    }
    refusedSince.set(0);
    return handlers.stream().collect(Collectors.groupingBy(HandlerContainer::function));
  }

  /**
   * Whether only a container started anew may reach the engine again: an engine that was restarted
   * and let its containers live ({@code live-restore}) listens on another file than the one that is
   * mounted here.
   */
  public boolean isLost() {
    long since = refusedSince.get();
    return settings.managerContainer().isPresent()
        && since != 0
        && System.nanoTime() - since > LOST.toNanos();
  }

  /** Those of the functions that the gateway cannot reach: it was made anew. */
  public Set<FunctionName> unreachable(Collection<FunctionName> functions) {
    return containers.unreachable(functions);
  }

  /** Every function of which the engine holds a container, a network or an image. */
  public Set<FunctionName> functions() {
    String label = Labels.INSTANCE + "=" + settings.instance();
    Stream<Map<String, String>> labels =
        Stream.of(
                docker
                    .listContainersCmd()
                    .withShowAll(true)
                    .withLabelFilter(List.of(label))
                    .exec()
                    .stream()
                    .map(container -> container.getLabels()),
                docker.listNetworksCmd().withFilter("label", List.of(label)).exec().stream()
                    .map(network -> network.getLabels()),
                docker.listImagesCmd().withFilter("label", List.of(label)).exec().stream()
                    .map(image -> image.getLabels()))
            .flatMap(all -> all);
    return labels
        .map(l -> l.get(Labels.FUNCTION))
        .filter(Objects::nonNull)
        .filter(FunctionName::isValid)
        .map(FunctionName::new)
        .collect(Collectors.toCollection(HashSet::new));
  }

  /** Removes what builds and commands left that a manager did not live to end. */
  public void removeLeft() {
    docker
        .listContainersCmd()
        .withShowAll(true)
        .withLabelFilter(List.of(Labels.INSTANCE + "=" + settings.instance()))
        .exec()
        .stream()
        .filter(container -> PASSING.contains(container.getLabels().getOrDefault(Labels.ROLE, "")))
        .forEach(
            container -> {
              try {
                docker.removeContainerCmd(container.getId()).withForce(true).exec();
              } catch (NotFoundException e) {
                // Gone already.
              }
            });
    networks.removeLeftBuild();
  }

  /**
   * Listens to the engine's events until the connection ends. They only say where to look again;
   * none is needed for a correct state.
   *
   * @param died receives the function of a handler that ended
   * @param gatewayStarted is called when the gateway's container starts, perhaps a new one that has
   *     to join the functions' networks
   */
  public void listen(Consumer<FunctionName> died, Runnable gatewayStarted)
      throws InterruptedException {
    try (var events =
        longCalls
            .eventsCmd()
            .withEventTypeFilter(EventType.CONTAINER)
            .withEventFilter("die", "start")
            .exec(
                new ResultCallback.Adapter<Event>() {
                  @Override
                  public void onNext(Event event) {
                    dispatch(event, died, gatewayStarted);
                  }
                })) {
      events.awaitCompletion();
    } catch (IOException e) {
      // Closing a connection that is gone: the caller listens again.
    }
  }

  private void dispatch(Event event, Consumer<FunctionName> died, Runnable gatewayStarted) {
    Map<String, String> attributes =
        Optional.ofNullable(event.getActor().getAttributes()).orElse(Map.of());
    boolean start = "start".equals(event.getAction());
    if (start && settings.gatewayContainer().equals(attributes.get("name"))) {
      gatewayStarted.run();
    } else if (!start
        && settings.instance().equals(attributes.get(Labels.INSTANCE))
        && "handler".equals(attributes.get(Labels.ROLE))) {
      died.accept(new FunctionName(attributes.get(Labels.FUNCTION)));
    }
  }
}

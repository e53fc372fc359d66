package io.tinyfaas.manager.handler;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.command.InspectContainerResponse;
import com.github.dockerjava.api.exception.NotFoundException;
import com.github.dockerjava.api.exception.NotModifiedException;
import com.github.dockerjava.api.model.Container;
import io.tinyfaas.contract.handler.HandlerHttp;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.contract.route.Handler;
import io.tinyfaas.contract.route.HandlerEndpoint;
import io.tinyfaas.manager.engine.EngineSettings;
import io.tinyfaas.manager.engine.EngineSettings.Transport;
import io.tinyfaas.manager.engine.Labels;
import io.tinyfaas.manager.network.FunctionNetworks;
import io.tinyfaas.manager.network.HostFirewall;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import io.tinyfaas.manager.store.FunctionVersion;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** The containers of handlers: how one is found, started and stopped. */
@ApplicationScoped
public class HandlerContainers {

  private final DockerClient docker;
  private final EngineSettings settings;
  private final FunctionNetworks networks;
  private final HandlerSockets sockets;
  private final CallSockets callSockets;
  private final HostFirewall firewall;

  HandlerContainers(
      DockerClient docker,
      EngineSettings settings,
      FunctionNetworks networks,
      HandlerSockets sockets,
      CallSockets callSockets,
      HostFirewall firewall) {
    this.docker = docker;
    this.settings = settings;
    this.networks = networks;
    this.sockets = sockets;
    this.callSockets = callSockets;
    this.firewall = firewall;
  }

  /** All handlers of this installation. */
  public List<HandlerContainer> list() {
    return list(List.of());
  }

  public List<HandlerContainer> list(FunctionName function) {
    return list(List.of(Labels.FUNCTION + "=" + function.value()));
  }

  private List<HandlerContainer> list(List<String> labels) {
    List<String> filter = new ArrayList<>(labels);
    filter.add(Labels.INSTANCE + "=" + settings.instance());
    filter.add(Labels.ROLE + "=handler");
    return docker.listContainersCmd().withShowAll(true).withLabelFilter(filter).exec().stream()
        .map(HandlerContainers::describe)
        .toList();
  }

  private static HandlerContainer describe(Container container) {
    Map<String, String> labels = container.getLabels();
    return new HandlerContainer(
        container.getId(),
        new FunctionName(labels.get(Labels.FUNCTION)),
        new Handler(labels.get(Labels.HANDLER), HandlerEndpoint.parse(labels.get(Labels.ENDPOINT))),
        labels.get(Labels.FINGERPRINT),
        container.getState());
  }

  /** Starts a handler of that version, the first time or again. */
  public void start(FunctionVersion version, HandlerContainer handler) {
    if (!version.spec().mayCall().isEmpty()) {
      callSockets.open(handler.function(), handler.handler().id());
    }
    if (handler.handler().endpoint() instanceof HandlerEndpoint.Unix) {
      sockets.open(handler.function(), handler.handler().id());
    }
    try {
      if (handler.isPaused()) {
        docker.unpauseContainerCmd(handler.container()).exec();
      }
      docker.startContainerCmd(handler.container()).exec();
    } catch (NotModifiedException e) {
      // It runs already.
    }
  }

  /**
   * Whether it has the folder that it needs to call functions: an engine that was restarted under
   * its containers mounts another volume than it has.
   */
  public boolean hasCallSocket(FunctionVersion version, HandlerContainer handler) {
    return version.spec().mayCall().isEmpty()
        || callSockets.isOpen(handler.function(), handler.handler().id());
  }

  /**
   * Stops a handler gracefully and removes it with all that was made for it.
   *
   * @param grace for the requests that it has read, then it is killed
   */
  public void remove(HandlerContainer handler, Duration grace) {
    try {
      if (handler.isRunning()) {
        docker
            .stopContainerCmd(handler.container())
            .withTimeout((int) Math.max(1, grace.toSeconds()))
            .exec();
      }
    } catch (NotFoundException | NotModifiedException e) {
      // Stopped by itself in the meantime.
    }
    try {
      docker.removeContainerCmd(handler.container()).withForce(true).withRemoveVolumes(true).exec();
    } catch (NotFoundException e) {
      // Removed by somebody else.
    }
    if (handler.handler().endpoint() instanceof HandlerEndpoint.Unix) {
      sockets.remove(handler.function(), handler.handler().id());
    }
    callSockets.remove(handler.function(), handler.handler().id());
  }

  /**
   * Ends what a handler may do only until it is healthy.
   *
   * @return why it will not do, if it broke the contract until then
   */
  public Optional<ProblemException> confine(HandlerContainer handler) {
    if (handler.handler().endpoint() instanceof HandlerEndpoint.Unix unix && !sockets.close(unix)) {
      return Optional.of(
          ProblemException.of(
              ProblemType.START_FAILED,
              "The function put something other than its socket into the folder of its socket ("
                  + HandlerHttp.SOCKET_FOLDER
                  + "): it may use /tmp instead."));
    }
    return Optional.empty();
  }

  /**
   * Sees to it that the gateway can reach the version's handlers, and none of them the host: both
   * are forgotten when a container is made again or the box starts anew.
   */
  public void join(FunctionVersion version) {
    if (settings.handlerTransport() == Transport.TCP) {
      networks.own(version.function());
    }
    if (version.spec().networkAccess()) {
      firewall.ensure();
    }
  }

  /** Those of the functions that the gateway cannot reach until they are joined. */
  public Set<FunctionName> unreachable(Collection<FunctionName> functions) {
    return settings.handlerTransport() == Transport.TCP
        ? networks.unreachable(functions)
        : Set.of();
  }

  /** Removes what was made for handlers of the function that are gone. */
  public void removeUnused(FunctionName function, boolean keepOutbound) {
    networks.remove(function, settings.handlerTransport() == Transport.TCP, keepOutbound);
    retain(
        function, list(function).stream().map(h -> h.handler().id()).collect(Collectors.toSet()));
  }

  /** Functions that have a network that leads out, whether or not they are to. */
  public Set<FunctionName> functionsWithOutbound() {
    return networks.withOutbound();
  }

  /** Functions of which handlers that are gone have left the folders of their sockets. */
  public Set<FunctionName> functionsWithLeftSockets() {
    Set<String> handlers =
        list().stream().map(handler -> handler.handler().id()).collect(Collectors.toSet());
    Set<FunctionName> found = new HashSet<>(sockets.functionsBesides(handlers));
    found.addAll(callSockets.functionsBesides(handlers));
    return found;
  }

  private void retain(FunctionName function, Set<String> handlers) {
    sockets.retain(function, handlers);
    callSockets.retain(function, handlers);
  }

  /** Removes what was made for a function whose handlers are gone. */
  public void removeTraces(FunctionName function) {
    networks.remove(function, false, false);
    retain(function, Set.of());
  }

  /** A handler in the state in which it is now; empty if it is gone. */
  public Optional<HandlerContainer> find(HandlerContainer handler) {
    try {
      return Optional.of(handler.in(inspect(handler).getState().getStatus()));
    } catch (NotFoundException e) {
      return Optional.empty();
    }
  }

  /** Whether its process is there; false also if the container is gone. */
  public boolean isRunning(HandlerContainer handler) {
    try {
      return Boolean.TRUE.equals(inspect(handler).getState().getRunning());
    } catch (NotFoundException e) {
      return false;
    }
  }

  private InspectContainerResponse inspect(HandlerContainer handler) {
    return docker.inspectContainerCmd(handler.container()).exec();
  }
}

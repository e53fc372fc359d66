package io.tinyfaas.manager.docker;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.command.CreateContainerCmd;
import com.github.dockerjava.api.command.InspectContainerResponse;
import com.github.dockerjava.api.exception.NotFoundException;
import com.github.dockerjava.api.exception.NotModifiedException;
import com.github.dockerjava.api.model.Capability;
import com.github.dockerjava.api.model.Container;
import com.github.dockerjava.api.model.HostConfig;
import com.github.dockerjava.api.model.Info;
import com.github.dockerjava.api.model.LogConfig;
import com.github.dockerjava.api.model.Ulimit;
import io.tinyfaas.contract.handler.HandlerHttp;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.contract.route.Handler;
import io.tinyfaas.contract.route.HandlerEndpoint;
import io.tinyfaas.manager.docker.EngineSettings.Transport;
import io.tinyfaas.manager.docker.FunctionNetworks.Attachment;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import io.tinyfaas.manager.store.FunctionSpec;
import io.tinyfaas.manager.store.FunctionVersion;
import jakarta.enterprise.context.ApplicationScoped;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** The containers of handlers: how one is made, started, stopped and found again. */
@ApplicationScoped
public class HandlerContainers {

  /** 10 MiB of a handler's output are kept, in two files. */
  static final LogConfig BOUNDED_LOG =
      new LogConfig(LogConfig.LoggingType.JSON_FILE, Map.of("max-size", "5m", "max-file", "2"));

  private static final String USER = "65534:65534";
  private static final long PROCESSES = 256;

  /**
   * Nobody listens there in a container. Engines before 26 ask the host's resolver also for
   * containers that are only on an internal network, by which data can leave the box.
   */
  private static final String NO_RESOLVER = "127.0.0.1";

  private static final int OPEN_FILES = 8_192;
  private static final String TMP_OPTIONS = "rw,nosuid,nodev,mode=1777,size=16m";
  private static final SecureRandom RANDOM = new SecureRandom();

  private final DockerClient docker;
  private final EngineSettings settings;
  private final FunctionNetworks networks;
  private final HandlerSockets sockets;
  private final HostFirewall firewall;

  HandlerContainers(
      DockerClient docker,
      EngineSettings settings,
      FunctionNetworks networks,
      HandlerSockets sockets,
      HostFirewall firewall) {
    this.docker = docker;
    this.settings = settings;
    this.networks = networks;
    this.sockets = sockets;
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

  /**
   * Everything about a version that a running container cannot take over from another: two versions
   * that differ only in the number of handlers, the timeout, labels or how they show themselves to
   * devices share theirs.
   */
  public String fingerprint(FunctionVersion version, String image) {
    FunctionSpec spec = version.spec();
    String all =
        String.join(
            "\n",
            image,
            described(spec.environment()),
            Long.toString(spec.memoryBytes()),
            Double.toString(spec.cpus()),
            Boolean.toString(spec.networkAccess()),
            spec.entry().orElse(""),
            Long.toString(settings.maxBody().asLongValue()),
            settings.handlerTransport().name());
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256").digest(all.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(hash, 0, 8);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * No two environments alike: where a value could pass for several, or for what follows, the
   * lengths of all are told, too. Elsewhere not, so that handlers of earlier managers are known.
   */
  private static String described(Map<String, String> environment) {
    Map<String, String> sorted = new TreeMap<>(environment);
    boolean ambiguous =
        sorted.values().stream().anyMatch(value -> value.contains(", ") || value.contains("\n"));
    return ambiguous
        ? sorted + sorted.values().stream().map(String::length).toList().toString()
        : sorted.toString();
  }

  /**
   * @throws ProblemException if the box could never give one handler this much
   */
  public void requireRoom(FunctionSpec spec) {
    Info box = docker.infoCmd().exec();
    if (spec.cpus() > box.getNCPU()) {
      throw ProblemException.ofField(
          ProblemType.INVALID_SPEC,
          "cpus",
          "cpus is " + spec.cpus() + ", but this box has " + box.getNCPU() + ".");
    }
    if (spec.memoryBytes() > box.getMemTotal()) {
      throw ProblemException.ofField(
          ProblemType.INVALID_SPEC,
          "memory",
          "memory is "
              + spec.memoryBytes()
              + " bytes, but this box has "
              + box.getMemTotal()
              + ".");
    }
  }

  /** Creates a handler, not yet started. */
  public HandlerContainer create(FunctionVersion version, String image, String fingerprint) {
    FunctionName function = version.function();
    String id = HexFormat.of().toHexDigits(RANDOM.nextInt());
    HostConfig host = limits(version.spec());
    Map<String, String> environment = new HashMap<>(version.spec().environment());
    environment.put(HandlerHttp.MAX_BODY_VARIABLE, Long.toString(settings.maxBody().asLongValue()));
    version.spec().entry().ifPresent(entry -> environment.put(HandlerHttp.ENTRY_VARIABLE, entry));
    HandlerEndpoint endpoint;
    CreateContainerCmd create = docker.createContainerCmd(image);
    switch (settings.handlerTransport()) {
      case UNIX -> {
        endpoint = sockets.endpoint(function, id);
        environment.put(
            HandlerHttp.SOCKET_VARIABLE, HandlerHttp.SOCKET_FOLDER + "/" + HandlerHttp.SOCKET_FILE);
        boolean networked = version.spec().networkAccess();
        host.withBinds(sockets.mounts(function, id, networked));
        host.withNetworkMode(networked ? networks.outbound(function).network() : "none");
        // Without this, the engine takes as long again to make a network that leads nowhere.
        create.withNetworkDisabled(!networked);
      }
      case TCP -> {
        Attachment own = networks.own(function);
        String address = own.subnet().freeAddress(addressesInUse(function));
        endpoint = new HandlerEndpoint.Tcp(address, HandlerHttp.PORT);
        host.withNetworkMode(own.network());
        create.withIpv4Address(address);
        if (!version.spec().networkAccess()) {
          host.withDns(NO_RESOLVER).withDnsOptions(List.of("timeout:1", "attempts:1"));
        }
      }
      default -> throw new IllegalStateException();
    }
    Map<String, String> labels = new HashMap<>(Labels.of(settings.instance(), function, "handler"));
    labels.put(Labels.HANDLER, id);
    labels.put(Labels.FINGERPRINT, fingerprint);
    labels.put(Labels.ENDPOINT, endpoint.text());
    String container =
        create
            .withName(settings.instance() + "-" + function + "-" + id)
            .withHostName(function.value())
            .withUser(USER)
            .withLabels(Labels.ownOnly(labels))
            .withEnv(
                environment.entrySet().stream().map(e -> e.getKey() + "=" + e.getValue()).toList())
            .withHostConfig(host)
            .exec()
            .getId();
    if (settings.handlerTransport() == Transport.TCP && version.spec().networkAccess()) {
      docker
          .connectToNetworkCmd()
          .withNetworkId(networks.outbound(function).network())
          .withContainerId(container)
          .exec();
    }
    return new HandlerContainer(
        container, function, new Handler(id, endpoint), fingerprint, "created");
  }

  private static HostConfig limits(FunctionSpec spec) {
    return HostConfig.newHostConfig()
        .withMemory(spec.memoryBytes())
        // No swap beyond it: a function that outgrows its memory is ended, not the box slowed down.
        .withMemorySwap(spec.memoryBytes())
        .withNanoCPUs(Math.round(spec.cpus() * 1_000_000_000L))
        .withPidsLimit(PROCESSES)
        .withUlimits(List.of(new Ulimit("nofile", (long) OPEN_FILES, (long) OPEN_FILES)))
        .withCapDrop(Capability.ALL)
        .withSecurityOpts(List.of("no-new-privileges"))
        .withReadonlyRootfs(true)
        .withTmpFs(Map.of("/tmp", TMP_OPTIONS))
        .withInit(true)
        .withLogConfig(BOUNDED_LOG);
  }

  private Set<String> addressesInUse(FunctionName function) {
    return list(function).stream()
        .map(c -> c.handler().endpoint())
        .filter(HandlerEndpoint.Tcp.class::isInstance)
        .map(endpoint -> ((HandlerEndpoint.Tcp) endpoint).address())
        .collect(Collectors.toSet());
  }

  /** Starts a handler, the first time or again. */
  public void start(HandlerContainer handler) {
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
  }

  /**
   * Ends what a handler may do only until it is healthy.
   *
   * @return why it will not do, if it broke the contract until then
   */
  public Optional<ProblemException> seal(HandlerContainer handler) {
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
  public Set<FunctionName> apart(Collection<FunctionName> functions) {
    return settings.handlerTransport() == Transport.TCP ? networks.apart(functions) : Set.of();
  }

  /** Removes what was made for handlers of the function that are gone. */
  public void removeUnused(FunctionName function, boolean keepOutbound) {
    networks.remove(function, settings.handlerTransport() == Transport.TCP, keepOutbound);
    sockets.retain(
        function, list(function).stream().map(h -> h.handler().id()).collect(Collectors.toSet()));
  }

  /** Functions that have a network that leads out, whether or not they are to. */
  public Set<FunctionName> functionsWithOutbound() {
    return networks.withOutbound();
  }

  /** Functions of which handlers that are gone have left the folders of their sockets. */
  public Set<FunctionName> functionsWithLeftSockets() {
    return sockets.functionsBesides(
        list().stream().map(handler -> handler.handler().id()).collect(Collectors.toSet()));
  }

  /** Removes what was made for a function whose handlers are gone. */
  public void removeTraces(FunctionName function) {
    networks.remove(function, false, false);
    sockets.retain(function, Set.of());
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

  /**
   * How a handler ended that does not run; empty if it does, or is gone. Once it is started again,
   * the engine no longer tells.
   */
  public Optional<Ending> ending(HandlerContainer handler) {
    try {
      InspectContainerResponse.ContainerState state = inspect(handler).getState();
      if (Boolean.TRUE.equals(state.getRunning())) {
        return Optional.empty();
      }
      return Optional.of(
          new Ending(
              Instant.parse(state.getFinishedAt()).truncatedTo(ChronoUnit.MILLIS),
              state.getExitCodeLong(),
              Boolean.TRUE.equals(state.getOOMKilled())));
    } catch (NotFoundException e) {
      return Optional.empty();
    }
  }

  /** Why a handler does not run, with what it printed last. */
  public ProblemException whyNotRunning(HandlerContainer handler, Duration waited) {
    List<String> output = ContainerOutput.lastLines(docker, handler.container());
    try {
      InspectContainerResponse.ContainerState state = inspect(handler).getState();
      if (Boolean.TRUE.equals(state.getRunning())) {
        return ProblemException.withOutput(
            ProblemType.START_FAILED,
            "The function did not become healthy within "
                + waited.toSeconds()
                + " s: its GET /health never answered 200. "
                + ContainerOutput.hint(output, "Look at its output")
                + " If it needs more time, TINYFAAS_START_TIMEOUT gives it.",
            output);
      }
      boolean outOfMemory =
          Boolean.TRUE.equals(state.getOOMKilled())
              || state.getExitCodeLong() != null && state.getExitCodeLong() == 137;
      return ProblemException.withOutput(
          ProblemType.START_FAILED,
          "The function ended with exit code "
              + state.getExitCodeLong()
              + " before it was healthy"
              + (outOfMemory ? "; it was killed and may need more memory" : "")
              + ". "
              + ContainerOutput.hint(output, "Its last lines are in the output"),
          output);
    } catch (NotFoundException e) {
      return ProblemException.withOutput(
          ProblemType.START_FAILED, "The function's container was removed.", output);
    }
  }

  private InspectContainerResponse inspect(HandlerContainer handler) {
    return docker.inspectContainerCmd(handler.container()).exec();
  }
}

package io.tinyfaas.manager.handler;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.command.CreateContainerCmd;
import com.github.dockerjava.api.model.Bind;
import com.github.dockerjava.api.model.Capability;
import com.github.dockerjava.api.model.HostConfig;
import com.github.dockerjava.api.model.Info;
import com.github.dockerjava.api.model.Ulimit;
import io.tinyfaas.contract.handler.HandlerHttp;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.contract.route.Handler;
import io.tinyfaas.contract.route.HandlerEndpoint;
import io.tinyfaas.manager.engine.ContainerOutput;
import io.tinyfaas.manager.engine.EngineSettings;
import io.tinyfaas.manager.engine.EngineSettings.Transport;
import io.tinyfaas.manager.engine.Labels;
import io.tinyfaas.manager.network.FunctionNetworks;
import io.tinyfaas.manager.network.FunctionNetworks.Attachment;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import io.tinyfaas.manager.spec.FunctionSpec;
import io.tinyfaas.manager.store.FunctionVersion;
import jakarta.enterprise.context.ApplicationScoped;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * What a handler is to be: its image, limits, environment and rights, and the way in which the
 * gateway reaches it.
 */
@ApplicationScoped
public class HandlerCreation {

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
  private final CallSockets callSockets;
  private final HandlerContainers containers;

  HandlerCreation(
      DockerClient docker,
      EngineSettings settings,
      FunctionNetworks networks,
      HandlerSockets sockets,
      CallSockets callSockets,
      HandlerContainers containers) {
    this.docker = docker;
    this.settings = settings;
    this.networks = networks;
    this.sockets = sockets;
    this.callSockets = callSockets;
    this.containers = containers;
  }

  /**
   * Everything about a version that a running container cannot take over from another: two versions
   * that differ only in the number of handlers, the timeout, labels, how they show themselves to
   * devices, what becomes of their calls, their schedules, their triggers or which functions they
   * may call share theirs. Whether they may call any is told only if so: handlers of earlier
   * managers are known.
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
    if (!spec.mayCall().isEmpty()) {
      all += "\ncalls";
    }
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
    List<Bind> mounts = new ArrayList<>();
    if (!version.spec().mayCall().isEmpty()) {
      mounts.add(callSockets.mount(function, id));
      environment.put(
          HandlerHttp.CALLS_SOCKET_VARIABLE,
          HandlerHttp.CALLS_SOCKET_FOLDER + "/" + HandlerHttp.SOCKET_FILE);
    }
    HandlerEndpoint endpoint;
    CreateContainerCmd create = docker.createContainerCmd(image);
    switch (settings.handlerTransport()) {
      case UNIX -> {
        endpoint = sockets.endpoint(function, id);
        environment.put(
            HandlerHttp.SOCKET_VARIABLE, HandlerHttp.SOCKET_FOLDER + "/" + HandlerHttp.SOCKET_FILE);
        boolean networked = version.spec().networkAccess();
        mounts.addAll(sockets.mounts(function, id, networked));
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
            .withHostConfig(host.withBinds(mounts))
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
        .withLogConfig(ContainerOutput.BOUNDED);
  }

  private Set<String> addressesInUse(FunctionName function) {
    return containers.list(function).stream()
        .map(c -> c.handler().endpoint())
        .filter(HandlerEndpoint.Tcp.class::isInstance)
        .map(endpoint -> ((HandlerEndpoint.Tcp) endpoint).address())
        .collect(Collectors.toSet());
  }
}

package io.tinyfaas.manager.network;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.exception.DockerException;
import com.github.dockerjava.api.exception.NotFoundException;
import com.github.dockerjava.api.model.ContainerNetwork;
import com.github.dockerjava.api.model.Network;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.manager.engine.EngineSettings;
import io.tinyfaas.manager.engine.Labels;
import io.tinyfaas.manager.network.AddressPool.Subnet;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.Collection;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Functions' networks, each of its own subnet of our pool.
 *
 * <p>With the {@code tcp} transport a function has a network that gateway and manager join and that
 * leads nowhere else: it is internal, and its bridge has no address, so that not even the host is
 * on it. A function with network access has a second one, for itself alone, that leads out; there
 * {@link HostFirewall} keeps it off the host.
 */
@ApplicationScoped
public class FunctionNetworks {

  private static final String OWN = "network";
  private static final String OUTBOUND = "outbound";

  /** Functions' names have neither dots nor underscores, so this is nobody's network. */
  private static final String BUILD_NETWORK = "tinyfaas.build";

  private static final String NO_BRIDGE_ADDRESS = "com.docker.network.bridge.inhibit_ipv4";
  private static final String BETWEEN_CONTAINERS = "com.docker.network.bridge.enable_icc";

  private final DockerClient docker;
  private final EngineSettings settings;
  private final HostFirewall firewall;
  private final AddressPool pool;
  private final ReentrantLock allocation = new ReentrantLock();
  private final ReentrantLock building = new ReentrantLock();

  /** Guarded by {@link #building}. */
  private int builds;

  FunctionNetworks(
      DockerClient docker,
      EngineSettings settings,
      NetworkSettings network,
      HostFirewall firewall) {
    this.docker = docker;
    this.settings = settings;
    this.firewall = firewall;
    this.pool = AddressPool.parse(network.addressPool());
  }

  /** A network and where it is in the pool. */
  public record Attachment(String network, Subnet subnet) {}

  /** The network on which gateway and manager reach the function, with both attached. */
  public Attachment own(FunctionName function) {
    Attachment own = ensure(name(function, OWN), function.value(), OWN);
    attach(own, settings.gatewayContainer(), own.subnet().gateway());
    settings.managerContainer().ifPresent(manager -> attach(own, manager, own.subnet().manager()));
    return own;
  }

  /** The network on which the function reaches the outside, and nothing of ours. */
  public Attachment outbound(FunctionName function) {
    firewall.ensure();
    return ensure(name(function, OUTBOUND), function.value(), OUTBOUND);
  }

  /**
   * The network of build commands that fetch dependencies, there while a build uses it: {@link
   * #leaveBuild} follows.
   */
  public String joinBuild() {
    firewall.ensure();
    building.lock();
    try {
      String network = ensure(buildNetwork(), BUILD_NETWORK, OUTBOUND).network();
      builds++;
      return network;
    } finally {
      building.unlock();
    }
  }

  public void leaveBuild() {
    building.lock();
    try {
      if (--builds == 0) {
        of(BUILD_NETWORK).forEach(this::remove);
      }
    } finally {
      building.unlock();
    }
  }

  /** Removes what a manager that did not live to end its builds left. */
  public void removeLeftBuild() {
    of(BUILD_NETWORK).forEach(this::remove);
  }

  private String buildNetwork() {
    return settings.instance() + "-build." + OUTBOUND;
  }

  /** Those of the functions whose network the gateway has not joined. */
  public Set<FunctionName> unreachable(Collection<FunctionName> functions) {
    try {
      Set<String> joined =
          docker
              .inspectContainerCmd(settings.gatewayContainer())
              .exec()
              .getNetworkSettings()
              .getNetworks()
              .keySet();
      return functions.stream()
          .filter(function -> !joined.contains(name(function, OWN)))
          .collect(Collectors.toSet());
    } catch (NotFoundException e) {
      return Set.of();
    }
  }

  /**
   * To be called every now and then: looks after what keeps off the host whatever is on a network
   * that leads out.
   *
   * @param wanted whether there are functions that are to have one; one may be on its way, or a
   *     build have it
   */
  public void guardHost(boolean wanted) {
    if (wanted) {
      firewall.keep();
    } else if (firewall.isIdle() && outbound().isEmpty()) {
      firewall.leave();
    }
  }

  private List<Network> outbound() {
    return docker
        .listNetworksCmd()
        .withFilter(
            "label",
            List.of(Labels.INSTANCE + "=" + settings.instance(), Labels.ROLE + "=" + OUTBOUND))
        .exec();
  }

  /** Functions that have a network that leads out. */
  public Set<FunctionName> withOutbound() {
    return outbound().stream()
        .map(network -> network.getLabels().get(Labels.FUNCTION))
        .filter(FunctionName::isValid)
        .map(FunctionName::new)
        .collect(Collectors.toSet());
  }

  public void remove(FunctionName function, boolean keepOwn, boolean keepOutbound) {
    for (Network network : of(function.value())) {
      String role = network.getLabels().get(Labels.ROLE);
      if (!(OWN.equals(role) ? keepOwn : keepOutbound)) {
        remove(network);
      }
    }
  }

  private void remove(Network network) {
    Network inspected = docker.inspectNetworkCmd().withNetworkId(network.getId()).exec();
    for (String container : inspected.getContainers().keySet()) {
      docker
          .disconnectFromNetworkCmd()
          .withNetworkId(network.getId())
          .withContainerId(container)
          .withForce(true)
          .exec();
    }
    docker.removeNetworkCmd(network.getId()).exec();
  }

  private Attachment ensure(String name, String function, String role) {
    Optional<Network> existing =
        of(function).stream().filter(n -> n.getName().equals(name)).findFirst();
    if (existing.isPresent()) {
      return new Attachment(name, subnet(existing.get()).orElseThrow());
    }
    allocation.lock();
    try {
      return new Attachment(name, create(name, function, role));
    } finally {
      allocation.unlock();
    }
  }

  /**
   * Tries subnet after subnet: one that another network of the engine or a route of the host
   * overlaps is refused by the engine, which alone knows.
   */
  private Subnet create(String name, String function, String role) {
    Set<String> inUse =
        docker.listNetworksCmd().exec().stream()
            .flatMap(network -> subnet(network).stream())
            .map(Subnet::cidr)
            .collect(Collectors.toSet());
    boolean own = role.equals(OWN);
    Map<String, String> options = new HashMap<>();
    options.put(BETWEEN_CONTAINERS, Boolean.toString(own));
    if (own && settings.managerContainer().isPresent()) {
      options.put(NO_BRIDGE_ADDRESS, "true");
    }
    for (Iterator<Subnet> free = pool.free(inUse).iterator(); free.hasNext(); ) {
      Subnet subnet = free.next();
      try {
        docker
            .createNetworkCmd()
            .withName(name)
            .withCheckDuplicate(true)
            .withInternal(own)
            .withOptions(options)
            .withIpam(
                new Network.Ipam()
                    .withConfig(
                        new Network.Ipam.Config()
                            .withSubnet(subnet.cidr())
                            .withGateway(subnet.address(1))))
            .withLabels(
                Map.of(
                    Labels.INSTANCE,
                    settings.instance(),
                    Labels.FUNCTION,
                    function,
                    Labels.ROLE,
                    role))
            .exec();
        return subnet;
      } catch (DockerException e) {
        if (!String.valueOf(e.getMessage()).contains("overlap")) {
          throw e;
        }
      }
    }
    throw ProblemException.of(
        ProblemType.TOO_MANY,
        "The address pool "
            + pool.cidr()
            + " has no subnet left for another network: delete functions or set a larger"
            + " TINYFAAS_ADDRESS_POOL.");
  }

  private void attach(Attachment to, String container, String address) {
    try {
      String id = docker.inspectContainerCmd(container).exec().getId();
      Network network = docker.inspectNetworkCmd().withNetworkId(to.network()).exec();
      if (network.getContainers().containsKey(id) || isAttached(container, to.network())) {
        return;
      }
      docker
          .connectToNetworkCmd()
          .withNetworkId(to.network())
          .withContainerId(container)
          .withContainerNetwork(
              new ContainerNetwork()
                  .withIpamConfig(new ContainerNetwork.Ipam().withIpv4Address(address)))
          .exec();
    } catch (NotFoundException e) {
      // The container is being created again: its start is an event that brings us back here.
    }
  }

  /** A stopped container's networks are not listed by the network itself. */
  private boolean isAttached(String container, String network) {
    return docker
        .inspectContainerCmd(container)
        .exec()
        .getNetworkSettings()
        .getNetworks()
        .containsKey(network);
  }

  private List<Network> of(String function) {
    return docker.listNetworksCmd().withFilter("label", ours(function)).exec();
  }

  private List<String> ours(String function) {
    return List.of(Labels.INSTANCE + "=" + settings.instance(), Labels.FUNCTION + "=" + function);
  }

  private Optional<Subnet> subnet(Network network) {
    List<Network.Ipam.Config> configs =
        network.getIpam() == null ? null : network.getIpam().getConfig();
    return (configs == null ? Stream.<Network.Ipam.Config>empty() : configs.stream())
        .map(Network.Ipam.Config::getSubnet)
        .filter(cidr -> cidr != null && cidr.matches("[0-9.]+/\\d+"))
        .map(Subnet::parse)
        .findFirst();
  }

  private String name(FunctionName function, String role) {
    return settings.instance() + "-" + function + "." + role;
  }
}

package io.tinyfaas.manager;

import static io.tinyfaas.harness.Docker.docker;

import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.manager.archive.FunctionArchive;
import io.tinyfaas.manager.archive.Zip;
import io.tinyfaas.manager.deploy.FunctionDeployer;
import io.tinyfaas.manager.deploy.FunctionDeployer.Deployment;
import io.tinyfaas.manager.files.FileTree;
import io.tinyfaas.manager.runtime.Runtimes;
import io.tinyfaas.manager.spec.Specs;
import io.tinyfaas.manager.store.FunctionStore;
import io.vertx.core.Vertx;
import jakarta.inject.Inject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** A runtime that is a folder until a function uses it, on a real engine. */
abstract class RuntimeOnAnEngine {

  static final String RUNTIME = "it-" + ProcessHandle.current().pid();
  static final String IMAGE = "tinyfaas/runtime-" + RUNTIME + ":latest";

  /** Also on what the steps of the build leave. */
  static final String MARK = "tinyfaas-it=" + RUNTIME;

  @Inject FunctionDeployer deployer;
  @Inject FunctionStore store;
  @Inject Runtimes runtimes;
  @Inject Vertx vertx;

  @ConfigProperty(name = "tinyfaas.broker-port")
  int brokerPort;

  @ConfigProperty(name = "tinyfaas.checkout")
  Path checkout;

  private PlayedGateway gateway;

  @BeforeEach
  void connectGateway() throws Exception {
    gateway = new PlayedGateway(vertx, brokerPort);
    gateway.awaitManager(deployer);
  }

  @AfterEach
  void removeAll() throws Exception {
    store.functions().forEach(deployer::delete);
    gateway.disconnect();
    images().forEach(image -> docker("image", "rm", "--force", image));
    FileTree.delete(checkout);
  }

  /** With an image or without a name, of the present build and of earlier ones. */
  static List<String> images() {
    return docker("image", "ls", "--quiet", "--filter", "label=" + MARK).stream()
        .distinct()
        .toList();
  }

  void folder(String... steps) throws IOException {
    Path folder = Files.createDirectories(checkout.resolve("handler-runtime-it"));
    Files.writeString(
        folder.resolve("Dockerfile"),
        "FROM tinyfaas/runtime-nodejs\nLABEL "
            + MARK
            + "\nCOPY handler-runtime-it/runtime.labels /opt/\n"
            + String.join("\n", steps));
    Files.writeString(
        folder.resolve("runtime.labels"),
        "# for tests\ntinyfaas.runtime=" + RUNTIME + "\n\ntinyfaas.runtime.aliases=\n");
  }

  Deployment deploy(String name) {
    return deploy(name, Zip.saying("hello"));
  }

  Deployment deploy(String name, FunctionArchive archive) {
    try (archive) {
      return deployer.deploy(
          new FunctionName(name),
          Specs.fields(Specs.of("{\"runtime\": \"" + RUNTIME + "\"}")),
          archive);
    }
  }

  boolean isBuilt() {
    return runtimes.list().stream()
        .anyMatch(runtime -> runtime.name().equals(RUNTIME) && !runtime.image().isEmpty());
  }
}

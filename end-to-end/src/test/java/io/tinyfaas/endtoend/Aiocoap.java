package io.tinyfaas.endtoend;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** aiocoap, in Debian's package of it; in a container, so that the machine need not have it. */
final class Aiocoap {

  private static final String IMAGE = "tinyfaas/test-aiocoap";

  private final Installation system;
  private final Path folder;

  /**
   * @param folder for files of its own, which scripts see as {@code /work}
   */
  Aiocoap(Installation system, Path folder) {
    this.system = system;
    this.folder = folder;
  }

  /** Builds its image, if that is not there yet. */
  Aiocoap build() {
    try {
      Path context = Files.createDirectories(folder.resolve("aiocoap-image"));
      Files.writeString(
          context.resolve("Dockerfile"),
          """
          FROM debian:trixie-slim
          RUN apt-get update && apt-get install -y --no-install-recommends python3-aiocoap \\
           && rm -rf /var/lib/apt/lists/*
          """);
      system.run(
          Duration.ofMinutes(3),
          "docker",
          "buildx",
          "build",
          "--quiet",
          "--load",
          "--tag",
          IMAGE,
          context.toString());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return this;
  }

  /**
   * @param script has a function {@code ask(code, path, payload, **more)}, to be awaited
   * @return the lines that it printed
   */
  List<String> python(String script) {
    String frame =
        """
        import asyncio, base64, hashlib
        from aiocoap import *
        URI = '%s'
        async def main():
            context = await Context.create_client_context()
            async def ask(code, path, payload=b'', **more):
                return await context.request(Message(code=code, uri=URI + path, payload=payload, **more)).response
        %s
            await context.shutdown()
        asyncio.run(main())
        """
            .formatted(system.coapUri(""), script.indent(4));
    try {
      Files.writeString(folder.resolve("ask.py"), frame);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return system.docker(
        "run",
        "--rm",
        "--network",
        "host",
        "--volume",
        folder + ":/work:ro",
        IMAGE,
        "python3",
        "/work/ask.py");
  }
}

package io.tinyfaas.endtoend;

import io.tinyfaas.harness.Command;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** aiocoap, in Debian's package of it; in a container, so that the machine need not have it. */
final class Aiocoap {

  private static final ClientImage IMAGE =
      new ClientImage(
          "tinyfaas/test-aiocoap",
          """
          FROM debian:trixie-slim
          RUN apt-get update && apt-get install -y --no-install-recommends python3-aiocoap \\
           && rm -rf /var/lib/apt/lists/*
          """);

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
    IMAGE.build(system, folder, Map.of());
    return this;
  }

  /**
   * @param script has a function {@code ask(code, path, payload, **more)}, to be awaited
   * @return the lines that it printed
   */
  List<String> python(String script) {
    return python(system.coapUri(""), List.of("--network", "host"), script);
  }

  /**
   * @param uri of the gateway as the container sees it, with a slash at its end
   * @param where options of {@code docker run}: its network and address
   */
  List<String> python(String uri, List<String> where, String script) {
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
            .formatted(uri, script.indent(4));
    return system.run(Duration.ofMinutes(1), command(where, "ask.py", frame));
  }

  /** Observes until it is told of an error, and prints a line for each state and for that error. */
  Command.Running observe(String path) {
    String script =
        """
        import asyncio
        from aiocoap import *
        async def main():
            context = await Context.create_client_context()
            request = context.request(Message(code=GET, uri='%s', observe=0))
            print((await request.response).payload.decode())
            try:
                async for told in request.observation:
                    print(told.payload.decode() if told.code.is_successful() else told.code)
            except error.ObservationCancelled:
                pass
            await context.shutdown()
        asyncio.run(main())
        """
            .formatted(system.coapUri(path));
    return system.command(command(List.of("--network", "host"), "observe.py", script)).start();
  }

  private String[] command(List<String> where, String file, String script) {
    try {
      Files.writeString(folder.resolve(file), script);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    List<String> command = new ArrayList<>(List.of("docker", "run", "--rm", "--init"));
    command.addAll(where);
    command.addAll(
        List.of("--volume", folder + ":/work:ro", IMAGE.tag(), "python3", "-u", "/work/" + file));
    return command.toArray(String[]::new);
  }
}

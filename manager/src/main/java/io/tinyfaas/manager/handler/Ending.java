package io.tinyfaas.manager.handler;

import java.time.Instant;

/**
 * How a handler ended.
 *
 * @param exitCode 128 and the signal's number if a signal ended it: 137 if it was killed
 * @param outOfMemory whether the kernel killed a process of it that wanted more memory than it has
 */
public record Ending(Instant at, long exitCode, boolean outOfMemory) {}

package io.tinyfaas.gateway.schedule;

import io.tinyfaas.contract.control.CallId;
import io.tinyfaas.contract.route.Schedule;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import java.util.Optional;

/**
 * How far a schedule is, as it is on disk.
 *
 * @param position up to this time all is done
 * @param trusted whether the clock was, by which that is
 * @param last the time that made the last call
 * @param call the last one
 */
record ScheduleRecord(long position, boolean trusted, Optional<Long> last, Optional<CallId> call) {

  private static final int VERSION = 1;
  private static final int USUAL_BYTES = 64;

  byte[] toBytes() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(USUAL_BYTES);
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.writeByte(VERSION);
      out.writeLong(position);
      out.writeBoolean(trusted);
      out.writeBoolean(last.isPresent());
      out.writeLong(last.orElse(0L));
      out.writeUTF(call.map(CallId::value).orElse(""));
    } catch (IOException e) {
      throw new UncheckedIOException(e); // there is no disk in it
    }
    return bytes.toByteArray();
  }

  /**
   * @throws IOException if these bytes are none
   */
  static ScheduleRecord of(byte[] bytes) throws IOException {
    try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
      int version = in.readUnsignedByte();
      if (version != VERSION) {
        throw new IOException("a record of version " + version);
      }
      long position = in.readLong();
      boolean trusted = in.readBoolean();
      boolean hasLast = in.readBoolean();
      long last = in.readLong();
      String call = in.readUTF();
      return new ScheduleRecord(
          position,
          trusted,
          hasLast ? Optional.of(last) : Optional.empty(),
          call.isEmpty() ? Optional.empty() : Optional.of(new CallId(call)));
    } catch (IllegalArgumentException e) {
      throw new IOException(e);
    }
  }

  /** Under which it is kept: below 0, and another one for each schedule of each function. */
  static long key(String function, Schedule schedule) {
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every Java has it
    }
    for (String text :
        List.of(
            function,
            schedule.text(),
            schedule.zone(),
            schedule.method(),
            schedule.path(),
            schedule.missed().text(),
            schedule.overlap().text(),
            schedule.body())) {
      digest.update(text.getBytes(StandardCharsets.UTF_8));
      digest.update((byte) 0);
    }
    return -1 - (ByteBuffer.wrap(digest.digest()).getLong() >>> 1);
  }
}

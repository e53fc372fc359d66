package io.tinyfaas.gateway.call;

import io.tinyfaas.contract.control.CallId;
import io.tinyfaas.gateway.journal.Batch;
import java.util.OptionalLong;

/**
 * What somebody else keeps on disk that is to be there if a call is, and not if it is not. Its keys
 * are below 0; calls pass them over.
 */
public interface Beside {

  /** Nothing is. */
  Beside NOTHING =
      new Beside() {
        @Override
        public void write(Batch batch, CallId call) {}

        @Override
        public OptionalLong number() {
          return OptionalLong.empty();
        }

        @Override
        public void failed(long number) {}
      };

  /** Adds to the batch with which the call is accepted. */
  void write(Batch batch, CallId call);

  /** That of an attempt that failed: what there may be of it on disk is replaced then. */
  OptionalLong number();

  /**
   * It is not on disk, unless a power cut brings it to light: then all of it is there. So a further
   * attempt is to be made with this number.
   */
  void failed(long number);
}

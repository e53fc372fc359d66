'use strict';

/** A request that cannot be read to its end, so that its connection is of no use afterwards. */
class RefusedRequest extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

const malformed = (what) => new RefusedRequest(400, `The request is malformed: ${what}.`);

module.exports = { RefusedRequest, malformed };

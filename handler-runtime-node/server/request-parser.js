'use strict';

const { parseHead, VALUE } = require('./head-parser');
const { EMPTY } = require('./http-request');
const { RefusedRequest, malformed } = require('./refused-request');

/** A chunk's size with its extensions, in bytes. */
const MAX_CHUNK_LINE = 1024;
/** All trailers of a request, in bytes. */
const MAX_TRAILERS = 16 * 1024;
const FIRST_CHUNKS = 4 * 1024;

const LF = 0x0a;
const CR = 0x0d;

/**
 * The requests of one connection, one after the other (RFC 9112), out of pieces cut anywhere. What two readers could take
 * for different requests is refused, not guessed at.
 */
class RequestParser {
  #maxBody;
  /** Received; parsed up to `#at`. */
  #bytes = EMPTY;
  #at = 0;
  /** The request whose body is being received. */
  #request = null;
  /** How much of its body, of its current chunk, or of what is allowed for trailers is still to come. */
  #missing = 0;
  /** What comes next in a chunked body; null behind its end. */
  #part = null;
  /** Of a chunked body so far. */
  #size = 0;

  /** @param maxBody in bytes */
  constructor(maxBody) {
    this.#maxBody = maxBody;
  }

  /** The request whose head is complete and whose body is not, or null. */
  get unfinished() {
    return this.#request;
  }

  /** Takes `bytes`, which must not change any more, behind those before. */
  feed(bytes) {
    this.#bytes = this.#at === this.#bytes.length ? bytes : Buffer.concat([this.#bytes.subarray(this.#at), bytes]);
    this.#at = 0;
  }

  /**
   * The next request that is complete, or null until more is fed.
   *
   * @throws RefusedRequest after which this parser is of no use
   */
  next() {
    if (this.#request === null) {
      const request = this.#head();
      if (request === null || request.bodyLength === 0) return request;
      if (request.bodyLength > this.#maxBody) throw this.#tooLarge();
      this.#request = request;
      this.#missing = request.bodyLength;
      this.#part = this.#chunkSize;
      this.#size = 0;
    }
    const request = this.#request;
    if (!(request.bodyLength > 0 ? this.#body(request) : this.#chunkedBody(request))) return null;
    this.#request = null;
    return request;
  }

  #head() {
    const bytes = this.#bytes;
    // Some clients end a body with an empty line (RFC 9112, 2.2).
    while (this.#at + 1 < bytes.length && bytes[this.#at] === CR && bytes[this.#at + 1] === LF) this.#at += 2;
    if (this.#at === bytes.length) {
      // An idle connection must not keep them: what outlives two collections is in memory until a full one, which may be an hour.
      this.#bytes = EMPTY;
      this.#at = 0;
      return null;
    }
    if (this.#at + 1 === bytes.length && bytes[this.#at] === CR) return null;
    const request = parseHead(bytes, this.#at);
    if (request !== null) this.#at = request.headEnd;
    return request;
  }

  #body(request) {
    const received = this.#take();
    if (received.length === request.bodyLength) {
      request.body = received;
      return true;
    }
    if (request.body === EMPTY) request.body = Buffer.allocUnsafeSlow(request.bodyLength);
    received.copy(request.body, request.bodyLength - this.#missing - received.length);
    return this.#missing === 0;
  }

  /** What has come of the `#missing` bytes. */
  #take() {
    const count = Math.min(this.#missing, this.#bytes.length - this.#at);
    this.#missing -= count;
    return this.#bytes.subarray(this.#at, (this.#at += count));
  }

  #chunkedBody(request) {
    while (this.#part !== null) {
      if (!this.#part(request)) return false;
    }
    request.body = request.body.subarray(0, this.#size);
    return true;
  }

  #chunkSize() {
    const line = this.#line(MAX_CHUNK_LINE, 'a chunk without its size');
    if (line === null) return false;
    const size = /^([0-9A-Fa-f]{1,8})[ \t]*(?:;|$)/.exec(line);
    if (size === null) throw malformed('a chunk without its size');
    this.#missing = parseInt(size[1], 16);
    if (this.#missing > this.#maxBody - this.#size) throw this.#tooLarge();
    this.#part = this.#chunk;
    if (this.#missing === 0) {
      this.#part = this.#trailer;
      this.#missing = MAX_TRAILERS;
    }
    return true;
  }

  #chunk(request) {
    const received = this.#take();
    const size = this.#size + received.length;
    if (size > request.body.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(this.#maxBody, Math.max(FIRST_CHUNKS, 2 * request.body.length, size)));
      request.body.copy(larger, 0, 0, this.#size);
      request.body = larger;
    }
    received.copy(request.body, this.#size);
    this.#size = size;
    if (this.#missing > 0) return false;
    this.#part = this.#chunkEnd;
    return true;
  }

  #chunkEnd() {
    if (this.#line(0, 'a chunk longer than its size') === null) return false;
    this.#part = this.#chunkSize;
    return true;
  }

  /** Trailers are read and forgotten. */
  #trailer() {
    const line = this.#line(this.#missing, 'trailers that are too long or none');
    if (line === null) return false;
    this.#missing -= line.length;
    if (line === '') this.#part = null;
    return true;
  }

  /** The next line of at most `max` bytes without its end, or null until it is complete. */
  #line(max, otherwise) {
    const bytes = this.#bytes;
    const limit = Math.min(bytes.length, this.#at + max);
    let end = this.#at;
    while (end < limit && VALUE[bytes[end]] === 1) end++;
    if (end < bytes.length && bytes[end] !== CR) throw malformed(otherwise);
    if (end + 1 >= bytes.length) return null;
    if (bytes[end + 1] !== LF) throw malformed(otherwise);
    const line = bytes.latin1Slice(this.#at, end);
    this.#at = end + 2;
    return line;
  }

  #tooLarge() {
    return new RefusedRequest(413, `The body is larger than ${this.#maxBody} bytes.`);
  }
}

module.exports = { RequestParser };

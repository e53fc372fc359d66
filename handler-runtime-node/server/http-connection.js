'use strict';

const { Answer } = require('./answer');
const { RequestParser } = require('./request-parser');
const { RefusedRequest } = require('./refused-request');

/** Requests that are run at once for one connection; further ones are not read. Nor are they while answers are not taken. */
const MAX_UNANSWERED = 256;

/** Answers go out together, up to about this many characters: what one system call writes without allocating. */
const BATCH = 12 * 1024;

/** Nor are they held while further requests are run, once those have taken so long. */
const MAX_BATCH_MILLIS = 1;

/** How long, and how many bytes, a peer may go on sending behind a refusal, so that it gets to the answer. */
const LINGER_MILLIS = 2_000;
const MAX_LINGERING = 16 * 1024 * 1024;

/**
 * One connection: requests may be pipelined, run as they come, and are answered in order. Requests that came together are
 * answered together: the answers that are given in one turn of the event loop are one write.
 */
class HttpConnection {
  #socket;
  #run;
  #maxBody;
  #parser;
  /** The answers that are owed, oldest first, linked by `next`. */
  #oldest = null;
  #newest = null;
  #unanswered = 0;
  /** Bytes of the bodies of the requests that are unanswered. */
  #held = 0;
  /** Answers to be written with the next flush. */
  #text = '';
  #isAscii = true;
  #isWorking = false;
  #isScheduled = false;
  #isDraining = false;
  /** No request is taken any more; the connection ends with the answers that are owed. */
  #isLast = false;
  #isRefused = false;
  #isGone = false;
  #lingering = 0;

  /** @param run takes a request and its Answer */
  constructor(socket, run, maxBody) {
    this.#socket = socket;
    this.#run = run;
    this.#maxBody = maxBody;
    this.#parser = new RequestParser(maxBody);
    socket.on('data', (bytes) => this.#receive(bytes));
    socket.on('drain', () => this.#work());
    socket.on('end', () => this.#forget());
    socket.on('error', () => this.#forget()); // 'close' follows
    socket.on('close', () => this.#forget());
  }

  /** Finishes what has been read, then closes. */
  drain() {
    this.#isDraining = true;
    if (this.#parser.unfinished === null) {
      this.#isLast = true;
      if (this.#newest !== null) this.#newest.closes = true;
    }
    if (this.#lingering > 0) this.#socket.destroySoon();
    else this.#work();
  }

  /** Called by an answer that has been given. */
  answered(answer) {
    if (this.#isGone) return;
    if (answer === this.#oldest) this.#writeAnswers();
    if (this.#isWorking || this.#isScheduled) return;
    // Behind the promises that are resolved in this turn: they may be answers, too.
    this.#isScheduled = true;
    process.nextTick(this.#workLater);
  }

  #workLater = () => {
    this.#isScheduled = false;
    this.#work();
  };

  #receive(bytes) {
    if (this.#lingering > 0) {
      this.#lingering += bytes.length;
      if (this.#lingering > MAX_LINGERING) this.#socket.destroy();
    } else if (!this.#isLast) {
      this.#parser.feed(bytes);
      this.#work();
    }
  }

  /** Runs what has arrived as far as there is room for it, and writes the answers that are there. */
  #work() {
    if (this.#isGone || this.#isWorking) return;
    this.#isWorking = true;
    let began = performance.now();
    try {
      while (!this.#isLast && !this.#isFull()) {
        const request = this.#parser.next();
        if (request === null) break;
        this.#take(request);
        const now = performance.now();
        if (now - began > MAX_BATCH_MILLIS) {
          began = now;
          this.#flush();
        }
      }
      if (!this.#isLast) this.#continue();
    } catch (error) {
      if (!(error instanceof RefusedRequest)) throw error;
      this.#refuse(error);
    } finally {
      this.#isWorking = false;
    }
    this.#flush();
    if (this.#isLast && this.#oldest === null) this.#end();
    else if (this.#isFull() && !this.#isLast) this.#socket.pause();
    else if (this.#socket.isPaused()) this.#socket.resume();
  }

  #isFull() {
    return this.#unanswered >= MAX_UNANSWERED || this.#held > this.#maxBody || this.#socket.writableNeedDrain;
  }

  #take(request) {
    this.#isLast = request.isLast || this.#isDraining;
    this.#run(request, this.#owe(request.isHead, this.#isLast, request.body.length));
  }

  /** @param size of the request's body, in bytes */
  #owe(isHead, closes, size) {
    const answer = new Answer(this, isHead, closes, size);
    if (this.#newest === null) this.#oldest = answer;
    else this.#newest.next = answer;
    this.#newest = answer;
    this.#unanswered++;
    this.#held += size;
    return answer;
  }

  /** Behind the answers before it, so that it is not taken for one of theirs. */
  #continue() {
    const request = this.#parser.unfinished;
    if (request === null || !request.expectsContinue) return;
    request.expectsContinue = false;
    this.#owe(false, false, 0).give(100, [], null);
  }

  #refuse(refused) {
    this.#isLast = true;
    this.#isRefused = true;
    this.#owe(false, true, 0).text(refused.status, refused.message);
  }

  #writeAnswers() {
    let answer = this.#oldest;
    while (answer !== null && answer.given) {
      this.#write(answer);
      this.#unanswered--;
      this.#held -= answer.size;
      const next = answer.next;
      answer.next = null; // else one that is old keeps all those behind it from being collected early
      answer = next;
    }
    this.#oldest = answer;
    if (answer === null) this.#newest = null;
  }

  #write(answer) {
    const { head, body } = answer.encoded();
    // Headers are bytes: what is not ASCII in them must not become UTF-8.
    if (typeof head === 'string') this.#text += head;
    else this.#writeBytes(head);
    if (typeof body === 'string') {
      this.#text += body;
      this.#isAscii &&= answer.isAscii;
    } else if (body !== null) {
      this.#writeBytes(body);
    }
    if (this.#text.length >= BATCH) this.#flush();
  }

  /** Together with what is written before the next flush. */
  #writeBytes(bytes) {
    if (this.#socket.writableCorked === 0) this.#socket.cork();
    this.#writeText();
    this.#socket.write(bytes);
  }

  #writeText() {
    if (this.#text === '') return;
    this.#socket.write(this.#text, this.#isAscii ? 'latin1' : 'utf8');
    this.#text = '';
    this.#isAscii = true;
  }

  #flush() {
    this.#writeText();
    if (this.#socket.writableCorked > 0) this.#socket.uncork();
  }

  /**
   * Closing a connection with unread bytes in it can take the answer from the peer (RFC 9112, 9.6), so behind a refusal
   * it is read a while longer.
   */
  #end() {
    if (!this.#isRefused || this.#isDraining) return this.#socket.destroySoon();
    if (this.#lingering > 0) return;
    this.#lingering = 1;
    setTimeout(() => this.#socket.destroy(), LINGER_MILLIS).unref();
    this.#socket.end();
    this.#socket.resume();
  }

  #forget() {
    this.#isGone = true;
    this.#oldest = null;
    this.#newest = null;
    this.#text = '';
  }
}

module.exports = { HttpConnection };

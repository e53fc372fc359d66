package io.tinyfaas.contract.handler;

import java.util.Set;

/**
 * The handler contract in names: plain HTTP/1.1, so that any language joins with its standard
 * library. {@code contract/handler-http.md} tells the whole of it.
 */
public final class HandlerHttp {

  /** Runs the function: {@code POST /fn}. */
  public static final String INVOKE_PATH = "/fn";

  /** Answers 200 once the function is loaded: {@code GET /health}. */
  public static final String HEALTH_PATH = "/health";

  /** The environment variable that names the Unix socket to listen on. */
  public static final String SOCKET_VARIABLE = "TINYFAAS_SOCKET";

  /**
   * The environment variable that names the socket of the gateway on which a function calls others;
   * set only if its specification says which.
   */
  public static final String CALLS_SOCKET_VARIABLE = "TINYFAAS_CALLS_SOCKET";

  /** The folder of that socket inside a handler; the file is {@link #SOCKET_FILE}. */
  public static final String CALLS_SOCKET_FOLDER = "/run/tinyfaas-calls";

  /** The first segment of the paths of functions on that socket. */
  public static final String CALLED_FUNCTIONS = "functions";

  /** How many functions may have led to an invocation, each by calling the next. */
  public static final int MAX_DEPTH = 8;

  /** The environment variable with the bytes that a request's body may have. */
  public static final String MAX_BODY_VARIABLE = "TINYFAAS_MAX_BODY";

  /** What that may be, from and to. */
  public static final long MAX_BODY_FROM = 1L << 10;

  public static final long MAX_BODY_TO = 64L << 20;

  /** What the head of a request may have, and that of an answer: fields, and bytes. */
  public static final int MAX_HEADERS = 100;

  public static final int MAX_HEAD_BYTES = 16 * 1_024;

  /**
   * Fields that are about one connection (RFC 9110, 7.6.1) or where a body ends, in lower case:
   * between caller and handler they are passed on in neither direction.
   */
  public static final Set<String> CONNECTION_FIELDS =
      Set.of(
          "connection",
          "content-length",
          "expect",
          "keep-alive",
          "proxy-connection",
          "te",
          "trailer",
          "transfer-encoding",
          "upgrade");

  /** The environment variable with the path of what is to be run; not set if none was named. */
  public static final String ENTRY_VARIABLE = "TINYFAAS_ENTRY";

  /** Where a handler listens when {@link #SOCKET_VARIABLE} is not set. */
  public static final int PORT = 8000;

  /** Where the folder of the function's code is in the handler's image. */
  public static final String FUNCTION_FOLDER = "/function";

  /** The socket's folder inside a handler, and the file's name in it. */
  public static final String SOCKET_FOLDER = "/run/tinyfaas";

  public static final String SOCKET_FILE = "http.sock";

  /** The device's method, such as {@code GET} or {@code FETCH}. */
  public static final String METHOD_HEADER = "X-tinyFaaS-Method";

  /** What followed the function's name: {@code /a/b}, percent-encoded; absent when nothing did. */
  public static final String PATH_HEADER = "X-tinyFaaS-Path";

  /** The query without its question mark, percent-encoded; absent when there was none. */
  public static final String QUERY_HEADER = "X-tinyFaaS-Query";

  /**
   * {@code coap}, {@code coaps}, {@code http}, {@code grpc}, {@code schedule} or {@code function}.
   */
  public static final String PROTOCOL_HEADER = "X-tinyFaaS-Protocol";

  /** The device's address and port as the gateway saw them: {@code 192.0.2.7:40123}. */
  public static final String PEER_HEADER = "X-tinyFaaS-Peer";

  /** {@code CON} or {@code NON}: whether the device asked for an acknowledgement. */
  public static final String MESSAGE_TYPE_HEADER = "X-tinyFaaS-Message-Type";

  /** The device that has proved who it is, by DTLS; absent for everybody else. */
  public static final String DEVICE_HEADER = "X-tinyFaaS-Device";

  /** The function that called it by its socket; absent for everybody else. */
  public static final String CALLER_HEADER = "X-tinyFaaS-Caller";

  /**
   * When nobody waits for the answer any more, in milliseconds since 1970: to functions that may
   * call others, and from them.
   */
  public static final String DEADLINE_HEADER = "X-tinyFaaS-Deadline";

  /** How many functions led to the request, each by calling the next: as the deadline. */
  public static final String DEPTH_HEADER = "X-tinyFaaS-Depth";

  /** The ID of the call that this is an attempt of, the same in each; absent in other requests. */
  public static final String CALL_HEADER = "X-tinyFaaS-Call";

  /** Which attempt of its call it is, from 1; absent in other requests. */
  public static final String ATTEMPT_HEADER = "X-tinyFaaS-Attempt";

  /** The cron expression or the interval that it is time for; absent in other requests. */
  public static final String SCHEDULE_HEADER = "X-tinyFaaS-Schedule";

  /** The time for which it is called, as RFC 3339 writes it; absent in other requests. */
  public static final String SCHEDULED_FOR_HEADER = "X-tinyFaaS-Scheduled-For";

  /** To a function that hears what has become of a call: that call's ID. */
  public static final String RESULT_OF_HEADER = "X-tinyFaaS-Result-Of";

  /** That call's function. */
  public static final String RESULT_FUNCTION_HEADER = "X-tinyFaaS-Result-Function";

  /** {@code done} or {@code failed}. */
  public static final String RESULT_STATE_HEADER = "X-tinyFaaS-Result-State";

  /** The status of that function's last answer; absent if there was none. */
  public static final String RESULT_STATUS_HEADER = "X-tinyFaaS-Result-Status";

  /** Why that call has failed; absent if it has not. */
  public static final String RESULT_REASON_HEADER = "X-tinyFaaS-Result-Reason";

  private HandlerHttp() {}
}

package io.tinyfaas.manager.problem;

/**
 * Every way in which a call to the manager can fail, with the HTTP status it answers. The name, in
 * lower case with hyphens, ends the problem's {@code type} (RFC 9457, section 3.1.1).
 */
public enum ProblemType {
  INVALID_REQUEST(400, "The request is not valid"),
  INVALID_SPEC(400, "The function's specification is not valid"),
  INVALID_ARCHIVE(400, "The archive cannot be used"),
  UNAUTHORIZED(401, "A bearer token is needed"),
  FORBIDDEN(403, "The request is not allowed"),
  UNKNOWN_FUNCTION(404, "There is no such function"),
  UNKNOWN_DEVICE(404, "There is no such device"),
  UNKNOWN_VERSION(404, "There is no such version"),
  UNKNOWN_CALL(404, "There is no such call"),
  DEVICE_EXISTS(409, "There is such a device"),
  ARCHIVE_TOO_LARGE(413, "The archive is too large"),
  UNSUPPORTED_MEDIA_TYPE(415, "The body has another media type"),
  UNKNOWN_RUNTIME(422, "There is no such runtime"),
  BUILD_FAILED(422, "The function's image could not be built"),
  START_FAILED(422, "The function does not start"),
  TOO_MANY(429, "There are too many"),
  INTERNAL(500, "The manager failed"),
  FETCH_FAILED(502, "The archive could not be fetched"),
  ENGINE_UNAVAILABLE(503, "The Docker Engine does not answer"),
  RUNTIME_UNAVAILABLE(503, "The runtime is not ready"),
  GATEWAY_UNAVAILABLE(503, "The gateway does not answer"),
  DEVICES_UNAVAILABLE(503, "Keys of devices cannot be kept"),
  DISK_FULL(507, "There is no space left");

  private final int status;
  private final String title;

  ProblemType(int status, String title) {
    this.status = status;
    this.title = title;
  }

  public int status() {
    return status;
  }

  public String title() {
    return title;
  }
}

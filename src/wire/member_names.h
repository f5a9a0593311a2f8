/*
** The names of meaningful members in the bodies of failures. Table only, read
** by members.h.
*/
#ifndef OFOX_MEMBER_NAMES_H
#define OFOX_MEMBER_NAMES_H

/* Sorted as struct ofox_word says. */
#define OFOX_MEMBER_NAMES(X)                                                  \
  X(BASE_RESP, "base_resp")                                                   \
  X(BODY, "body")                                                             \
  X(CODE, "code")                                                             \
  X(DATA, "data")                                                             \
  X(DESCRIPTION, "description")                                               \
  X(DETAIL, "detail")                                                         \
  X(DETAILS, "details")                                                       \
  X(ERR, "err")                                                               \
  X(ERR_CODE, "err_code")                                                     \
  X(ERR_MSG, "err_msg")                                                       \
  X(ERRMSG, "errmsg")                                                         \
  X(ERROR, "error")                                                           \
  X(ERROR_CODE, "error_code")                                                 \
  X(ERROR_DESCRIPTION, "error_description")                                   \
  X(ERROR_MESSAGE, "error_message")                                           \
  X(ERROR_MSG, "error_msg")                                                   \
  X(ERROR_REASON, "error_reason")                                             \
  X(ERRORS, "errors")                                                         \
  X(ERROR_TYPE, "error_type")                                                 \
  X(EVENT, "event")                                                           \
  X(EXCEPTION, "exception")                                                   \
  X(FAULT, "fault")                                                           \
  X(FAULTSTRING, "faultstring")                                               \
  X(HEADERS, "headers")                                                       \
  X(HTTP_CODE, "http_code")                                                   \
  X(HTTP_STATUS, "http_status")                                               \
  X(ID, "id")                                                                 \
  X(INSTANCE, "instance")                                                     \
  X(LOG_ID, "log_id")                                                         \
  X(MESSAGE, "message")                                                       \
  X(METADATA, "metadata")                                                     \
  X(MSG, "msg")                                                               \
  X(OBJECT, "object")                                                         \
  X(OK, "ok")                                                                 \
  X(OUTPUT, "output")                                                         \
  X(PARAM, "param")                                                           \
  X(PATH, "path")                                                             \
  X(REASON, "reason")                                                         \
  X(REQUEST_ID, "request_id")                                                 \
  X(RESETS_IN_SECONDS, "resets_in_seconds")                                   \
  X(RESPONSE, "response")                                                     \
  X(RESULT, "result")                                                         \
  X(RET, "ret")                                                               \
  X(RET_CODE, "ret_code")                                                     \
  X(RETRY_AFTER, "retry_after")                                               \
  X(RETRY_AFTER_MS, "retry_after_ms")                                         \
  X(RETRY_AFTER_SECONDS, "retry_after_seconds")                               \
  X(RETRY_DELAY, "retry_delay")                                               \
  X(SID, "sid")                                                               \
  X(STATE, "state")                                                           \
  X(STATUS, "status")                                                         \
  X(STATUS_CODE, "status_code")                                               \
  X(STATUS_MESSAGE, "status_message")                                         \
  X(STATUS_MSG, "status_msg")                                                 \
  X(STATUS_TEXT, "status_text")                                               \
  X(SUCCEEDED, "succeeded")                                                   \
  X(SUCCESS, "success")                                                       \
  X(TIME, "time")                                                             \
  X(TIMESTAMP, "timestamp")                                                   \
  X(TITLE, "title")                                                           \
  X(TRACE_ID, "trace_id")                                                     \
  X(TYPE, "type")

#endif

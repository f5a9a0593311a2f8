#include "wire/class_words.h"

#include "wire/vendor_codes.h"
#include "wire/words.h"

/*
** Our own types mean themselves and are not repeated here. Case and '_', '-',
** '.', ' ' make no difference, so that rate_limited is RateLimited as well.
** A word of BILLING turns a rate limit into a spent quota. Sorted as
** struct ofox_word says.
*/
static const struct ofox_word ROWS[] = {
    {"aborted", OFOX_CLASS_CONFLICT},
    {"access_denied", OFOX_CLASS_PERMISSION},
    {"account_overdue", OFOX_CLASS_BILLING},
    {"account_overdue_error", OFOX_CLASS_BILLING},
    {"already_exists", OFOX_CLASS_CONFLICT},
    {"api_error", OFOX_CLASS_INTERNAL},
    {"api_key_expired", OFOX_CLASS_AUTHENTICATION},
    {"api_timeout_error", OFOX_CLASS_TIMEOUT},
    {"arrearage", OFOX_CLASS_BILLING},
    {"authentication", OFOX_CLASS_AUTHENTICATION},
    {"bad_gateway", OFOX_CLASS_UPSTREAM},
    {"bad_gateway_error", OFOX_CLASS_UPSTREAM},
    {"bad_request", OFOX_CLASS_INVALID_REQUEST},
    {"bad_request_error", OFOX_CLASS_INVALID_REQUEST},
    {"billing", OFOX_CLASS_BILLING},
    {"billing_hard_limit_reached", OFOX_CLASS_BILLING},
    {"billing_not_active", OFOX_CLASS_BILLING},
    {"budget_exceeded", OFOX_CLASS_BILLING},
    {"capacity_exceeded", OFOX_CLASS_UNAVAILABLE},
    {"concurrency_limit_exceeded", OFOX_CLASS_RATE_LIMIT},
    {"conflict", OFOX_CLASS_CONFLICT},
    {"content_filter", OFOX_CLASS_INVALID_REQUEST},
    {"content_policy_violation", OFOX_CLASS_INVALID_REQUEST},
    {"context_length_exceeded", OFOX_CLASS_INVALID_REQUEST},
    {"credit_balance_too_low", OFOX_CLASS_BILLING},
    {"credits_exhausted", OFOX_CLASS_BILLING},
    {"deadline_exceeded", OFOX_CLASS_TIMEOUT},
    {"deployment_not_found", OFOX_CLASS_NOT_FOUND},
    {"endpoint_not_supported", OFOX_CLASS_INVALID_REQUEST},
    {"engine_overloaded", OFOX_CLASS_UNAVAILABLE},
    {"engine_overloaded_error", OFOX_CLASS_UNAVAILABLE},
    {"exceeded_current_quota_error", OFOX_CLASS_BILLING},
    {"failed_precondition", OFOX_CLASS_INVALID_REQUEST},
    {"forbidden", OFOX_CLASS_PERMISSION},
    {"gateway_timeout", OFOX_CLASS_TIMEOUT},
    {"gateway_timeout_error", OFOX_CLASS_TIMEOUT},
    {"image_generation_user_error", OFOX_CLASS_INVALID_REQUEST},
    {"incorrect_api_key", OFOX_CLASS_AUTHENTICATION},
    {"input_moderation_failed", OFOX_CLASS_INVALID_REQUEST},
    {"insufficient_balance", OFOX_CLASS_BILLING},
    {"insufficient_credit", OFOX_CLASS_BILLING},
    {"insufficient_credits", OFOX_CLASS_BILLING},
    {"insufficient_funds", OFOX_CLASS_BILLING},
    {"insufficient_permissions", OFOX_CLASS_PERMISSION},
    {"insufficient_quota", OFOX_CLASS_BILLING},
    {"insufficient_user_quota", OFOX_CLASS_BILLING},
    {"internal", OFOX_CLASS_INTERNAL},
    {"internal_failure", OFOX_CLASS_INTERNAL},
    {"internal_server_error", OFOX_CLASS_INTERNAL},
    {"invalid_api_key", OFOX_CLASS_AUTHENTICATION},
    {"invalid_argument", OFOX_CLASS_INVALID_REQUEST},
    {"invalid_authentication", OFOX_CLASS_AUTHENTICATION},
    {"invalid_authentication_error", OFOX_CLASS_AUTHENTICATION},
    {"invalid_parameter", OFOX_CLASS_INVALID_REQUEST},
    {"invalid_request", OFOX_CLASS_INVALID_REQUEST},
    {"invalid_value", OFOX_CLASS_INVALID_REQUEST},
    {"limit_requests", OFOX_CLASS_RATE_LIMIT},
    {"limit_tokens", OFOX_CLASS_RATE_LIMIT},
    {"missing_api_key", OFOX_CLASS_AUTHENTICATION},
    {"missing_required_parameter", OFOX_CLASS_INVALID_REQUEST},
    {"model_not_found", OFOX_CLASS_NOT_FOUND},
    {"model_not_found_error", OFOX_CLASS_NOT_FOUND},
    {"model_overloaded", OFOX_CLASS_UNAVAILABLE},
    {"no_such_model", OFOX_CLASS_NOT_FOUND},
    {"not_found", OFOX_CLASS_NOT_FOUND},
    {"out_of_credits", OFOX_CLASS_BILLING},
    {"out_of_range", OFOX_CLASS_INVALID_REQUEST},
    {"overloaded", OFOX_CLASS_UNAVAILABLE},
    {"overloaded_error", OFOX_CLASS_UNAVAILABLE},
    {"payload_too_large", OFOX_CLASS_INVALID_REQUEST},
    {"payment_required", OFOX_CLASS_BILLING},
    {"permission_denied", OFOX_CLASS_PERMISSION},
    {"permission_denied_error", OFOX_CLASS_PERMISSION},
    {"processing_error", OFOX_CLASS_INTERNAL},
    {"provider_error", OFOX_CLASS_UPSTREAM},
    {"quota_exceeded", OFOX_CLASS_BILLING},
    {"quota_exhausted", OFOX_CLASS_BILLING},
    {"rate_limit", OFOX_CLASS_RATE_LIMIT},
    {"rate_limited", OFOX_CLASS_RATE_LIMIT},
    {"rate_limit_exceeded", OFOX_CLASS_RATE_LIMIT},
    {"rate_limit_exceeded_error", OFOX_CLASS_RATE_LIMIT},
    {"rate_limit_reached", OFOX_CLASS_RATE_LIMIT},
    {"rate_limit_reached_error", OFOX_CLASS_RATE_LIMIT},
    {"request_limit_exceeded", OFOX_CLASS_RATE_LIMIT},
    {"requests", OFOX_CLASS_RATE_LIMIT},
    {"request_timeout", OFOX_CLASS_TIMEOUT},
    {"request_timeout_error", OFOX_CLASS_TIMEOUT},
    {"request_too_large", OFOX_CLASS_INVALID_REQUEST},
    {"resource_exhausted", OFOX_CLASS_RATE_LIMIT},
    {"resource_not_found", OFOX_CLASS_NOT_FOUND},
    {"route_error", OFOX_CLASS_UPSTREAM},
    {"server_busy", OFOX_CLASS_UNAVAILABLE},
    {"server_error", OFOX_CLASS_INTERNAL},
    {"server_overloaded", OFOX_CLASS_UNAVAILABLE},
    {"server_overloaded_error", OFOX_CLASS_UNAVAILABLE},
    {"service_unavailable_error", OFOX_CLASS_UNAVAILABLE},
    {"spending_limit_exceeded", OFOX_CLASS_BILLING},
    {"temporarily_unavailable", OFOX_CLASS_UNAVAILABLE},
    {"throttled", OFOX_CLASS_RATE_LIMIT},
    {"throttling", OFOX_CLASS_RATE_LIMIT},
    {"throttling_error", OFOX_CLASS_RATE_LIMIT},
    {"throttling_exception", OFOX_CLASS_RATE_LIMIT},
    {"timed_out", OFOX_CLASS_TIMEOUT},
    {"timeout", OFOX_CLASS_TIMEOUT},
    {"token_expired", OFOX_CLASS_AUTHENTICATION},
    {"tokens", OFOX_CLASS_RATE_LIMIT},
    {"too_many_requests", OFOX_CLASS_RATE_LIMIT},
    {"too_many_requests_error", OFOX_CLASS_RATE_LIMIT},
    {"unauthenticated", OFOX_CLASS_AUTHENTICATION},
    {"unauthorized", OFOX_CLASS_AUTHENTICATION},
    {"unavailable", OFOX_CLASS_UNAVAILABLE},
    {"unknown_model", OFOX_CLASS_NOT_FOUND},
    {"unprocessable_entity", OFOX_CLASS_INVALID_REQUEST},
    {"unprocessable_entity_error", OFOX_CLASS_INVALID_REQUEST},
    {"unsupported_country_region_territory", OFOX_CLASS_PERMISSION},
    {"unsupported_parameter", OFOX_CLASS_INVALID_REQUEST},
    {"unsupported_value", OFOX_CLASS_INVALID_REQUEST},
    {"upstream_auth_failed", OFOX_CLASS_AUTHENTICATION},
    {"upstream_timeout", OFOX_CLASS_TIMEOUT},
    {"validation_error", OFOX_CLASS_INVALID_REQUEST},
};

static enum ofox_class own_type(struct ofox_span word) {
  int i;
  for (i = word.n > 0 ? 0 : OFOX_NCLASSES; i < OFOX_NCLASSES; i++) {
    if (ofox_words_has(ofox_classes[i].type, word))
      break;
  }
  return (enum ofox_class)i;
}

enum ofox_class ofox_class_words_find(struct ofox_span word) {
  int what = ofox_words_find(ROWS, sizeof(ROWS) / sizeof(ROWS[0]), word);
  return what >= 0 ? (enum ofox_class)what : own_type(word);
}

enum ofox_class ofox_class_words_number(enum ofox_numbering whose, double n) {
  static const struct {
    enum ofox_numbering whose;
    enum ofox_class cls;
    int n;
  } rows[] = {
#define X(whose, number, id) {OFOX_NUMBERING_##whose, OFOX_CLASS_##id, number},
      OFOX_NUMBERS(X)
#undef X
  };
  size_t i;
  for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    if (rows[i].whose == whose && (double)rows[i].n == n)
      return rows[i].cls;
  }
  return OFOX_NCLASSES;
}

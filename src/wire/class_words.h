/*
** What servers call the classes, in words that come as type or as code. Table
** only, read by words.c.
*/
#ifndef OFOX_CLASS_WORDS_H
#define OFOX_CLASS_WORDS_H

/*
** Our own types mean themselves and are not repeated here. Case and '_', '-',
** '.', ' ' make no difference, so that rate_limited is RateLimited as well.
** A word of BILLING turns a rate limit into a spent quota.
*/
#define OFOX_ALIASES(X)                                                       \
  X(INVALID_REQUEST,                                                          \
    "bad_request bad_request_error invalid_request invalid_argument "         \
    "invalid_parameter invalid_value missing_required_parameter "             \
    "unsupported_parameter unsupported_value validation_error "               \
    "unprocessable_entity unprocessable_entity_error failed_precondition "    \
    "context_length_exceeded content_filter content_policy_violation "        \
    "input_moderation_failed request_too_large payload_too_large "            \
    "out_of_range endpoint_not_supported image_generation_user_error")        \
  X(AUTHENTICATION,                                                           \
    "invalid_api_key incorrect_api_key missing_api_key api_key_expired "      \
    "token_expired unauthorized unauthenticated authentication "              \
    "invalid_authentication invalid_authentication_error "                    \
    "upstream_auth_failed")                                                   \
  X(BILLING,                                                                  \
    "insufficient_quota insufficient_user_quota insufficient_credits "        \
    "insufficient_credit insufficient_balance insufficient_funds "            \
    "exceeded_current_quota_error quota_exceeded quota_exhausted "            \
    "credits_exhausted out_of_credits credit_balance_too_low "                \
    "budget_exceeded spending_limit_exceeded payment_required billing "       \
    "billing_hard_limit_reached billing_not_active arrearage "                \
    "account_overdue account_overdue_error")                                  \
  X(PERMISSION,                                                               \
    "forbidden permission_denied permission_denied_error access_denied "      \
    "insufficient_permissions unsupported_country_region_territory")          \
  X(NOT_FOUND,                                                                \
    "not_found model_not_found model_not_found_error unknown_model "          \
    "no_such_model resource_not_found deployment_not_found")                  \
  X(CONFLICT, "conflict aborted already_exists")                              \
  X(RATE_LIMIT,                                                               \
    "requests tokens rate_limit rate_limited rate_limit_exceeded "            \
    "rate_limit_exceeded_error rate_limit_reached rate_limit_reached_error "  \
    "too_many_requests too_many_requests_error request_limit_exceeded "       \
    "concurrency_limit_exceeded resource_exhausted limit_requests "           \
    "limit_tokens throttled throttling throttling_error "                     \
    "throttling_exception")                                                   \
  X(INTERNAL, "server_error api_error internal internal_server_error "        \
              "internal_failure processing_error")                            \
  X(UPSTREAM, "bad_gateway bad_gateway_error provider_error route_error")     \
  X(UNAVAILABLE,                                                              \
    "overloaded overloaded_error server_overloaded server_overloaded_error "  \
    "engine_overloaded engine_overloaded_error model_overloaded "             \
    "unavailable service_unavailable_error temporarily_unavailable "          \
    "server_busy capacity_exceeded")                                          \
  X(TIMEOUT, "timeout timed_out request_timeout request_timeout_error "       \
             "gateway_timeout gateway_timeout_error api_timeout_error "       \
             "upstream_timeout deadline_exceeded")

#endif

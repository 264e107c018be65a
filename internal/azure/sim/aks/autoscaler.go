package aks

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/fleetwright/fleetwright/internal/azure/sim/armerr"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armjson"
)

// autoscalerParameter is one value of the autoscaler profile: what AKS takes it to be when it is left out, and which values
// it takes. All are strings but for those that are bool by default.
type autoscalerParameter struct {
	fallback any
	valid    func(value string) bool
}

var (
	wholeMinutes = regexp.MustCompile(`^\d+m$`)
	wholeSeconds = regexp.MustCompile(`^\d+s?$`)
	shortTime    = regexp.MustCompile(`^\d+[sm]$`)
	anyTime      = regexp.MustCompile(`^\d+(ms|s|m|h)$`)
)

func autoscalerParameters() map[string]autoscalerParameter {
	truth := func(v string) bool { return v == "true" || v == "false" }
	expander := func(v string) bool {
		return slices.Contains([]string{"least-waste", "most-pods", "priority", "random"}, v)
	}
	whole := func(least, most int) func(string) bool {
		return func(v string) bool {
			n, err := strconv.Atoi(v)
			return err == nil && n >= least && n <= most
		}
	}
	share := func(v string) bool {
		n, err := strconv.ParseFloat(v, 64)
		return err == nil && n >= 0 && n <= 1
	}
	const any32 = 1<<31 - 1
	return map[string]autoscalerParameter{
		"balance-similar-node-groups":           {"false", truth},
		"daemonset-eviction-for-empty-nodes":    {false, nil},
		"daemonset-eviction-for-occupied-nodes": {true, nil},
		"expander":                              {"random", expander},
		"ignore-daemonsets-utilization":         {false, nil},
		"max-empty-bulk-delete":                 {"10", whole(1, any32)},
		"max-graceful-termination-sec":          {"600", whole(0, any32)},
		"max-node-provision-time":               {"15m", wholeMinutes.MatchString},
		"max-total-unready-percentage":          {"45", whole(0, 100)},
		"new-pod-scale-up-delay":                {"0s", anyTime.MatchString},
		"ok-total-unready-count":                {"3", whole(0, any32)},
		"scale-down-delay-after-add":            {"10m", wholeMinutes.MatchString},
		"scale-down-delay-after-delete":         {"", shortTime.MatchString}, // the scan interval
		"scale-down-delay-after-failure":        {"3m", wholeMinutes.MatchString},
		"scale-down-unneeded-time":              {"10m", wholeMinutes.MatchString},
		"scale-down-unready-time":               {"20m", wholeMinutes.MatchString},
		"scale-down-utilization-threshold":      {"0.5", share},
		"scan-interval":                         {"10s", func(v string) bool { return wholeSeconds.MatchString(v) && strings.Trim(v, "0s") != "" }},
		"skip-nodes-with-local-storage":         {"false", truth},
		"skip-nodes-with-system-pods":           {"true", truth},
	}
}

// CheckAutoscalerProfile refuses an autoscaler profile with a key that there is not, a value of another type or one out of
// its range.
func CheckAutoscalerProfile(profile armjson.Object) error {
	known := autoscalerParameters()
	for _, key := range slices.Sorted(maps.Keys(profile)) {
		parameter, exists := known[key]
		_, wantsBool := parameter.fallback.(bool)
		value, isString := profile[key].(string)
		_, isBool := profile[key].(bool)
		if !exists || wantsBool != isBool || !wantsBool && !isString {
			return armerr.BadRequest("InvalidRequestContent", "The request content was invalid: autoScalerProfile has no %q of type %T.", key, profile[key]).
				OnProperty("properties.autoScalerProfile")
		}
		if !wantsBool && !parameter.valid(value) {
			return invalid("autoScalerProfile."+key, "Invalid value specified for the cluster-autoscaler parameter '%s'. "+
				"Please refer to https://aka.ms/cluster-autoscaler for more details.", key)
		}
	}
	return nil
}

// ShownAutoscalerProfile is a profile as AKS answers it: with its defaults for what was left out.
func ShownAutoscalerProfile(profile armjson.Object) armjson.Object {
	out := armjson.Object{}
	for key, parameter := range autoscalerParameters() {
		out[key] = parameter.fallback
	}
	maps.Copy(out, profile)
	if out["scale-down-delay-after-delete"] == "" {
		out["scale-down-delay-after-delete"] = strings.TrimSuffix(armjson.String(out, "scan-interval"), "s") + "s"
	}
	return out
}

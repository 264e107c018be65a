package aks_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetwright/fleetwright/internal/azure/sim/aks"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armjson"
)

func TestAutoscalerValues(t *testing.T) {
	for key, test := range map[string]struct{ taken, refused string }{
		"balance-similar-node-groups":      {"true false", "yes True 1 -"},
		"expander":                         {"random least-waste most-pods priority", "price Random -"},
		"max-empty-bulk-delete":            {"1 1000", "0 -1 1.5 ten -"},
		"max-graceful-termination-sec":     {"0 600 3600", "-1 600s -"},
		"max-node-provision-time":          {"15m 0m", "900s 1h 15 1.5m -"},
		"max-total-unready-percentage":     {"0 45 100", "101 -1 45% -"},
		"new-pod-scale-up-delay":           {"0s 90s 2m 1h", "10 -1s s -"},
		"ok-total-unready-count":           {"0 3", "-1 3.0 -"},
		"scale-down-delay-after-add":       {"0m 10m", "0s 30s 600 1h -"},
		"scale-down-delay-after-delete":    {"10s 1m", "10 1h -"},
		"scale-down-delay-after-failure":   {"3m", "30s -"},
		"scale-down-unneeded-time":         {"3m 10m", "180s -"},
		"scale-down-unready-time":          {"20m", "20 -"},
		"scale-down-utilization-threshold": {"0 0.5 1 0.65", "1.1 -0.1 50% half -"},
		"scan-interval":                    {"10 10s 120s", "1m 0 0s 00s 10.5s -"},
		"skip-nodes-with-local-storage":    {"true false", "TRUE -"},
		"skip-nodes-with-system-pods":      {"true false", "off -"},
	} {
		t.Run(key, func(t *testing.T) {
			for value := range strings.FieldsSeq(test.taken) {
				if err := aks.CheckAutoscalerProfile(armjson.Object{key: value}); err != nil {
					t.Errorf("%q: %v", value, err)
				}
			}
			for value := range strings.FieldsSeq(test.refused) {
				if value == "-" {
					value = ""
				}
				err := aks.CheckAutoscalerProfile(armjson.Object{key: value})
				if code(t, err) != "InvalidParameter" || !strings.Contains(err.Error(), "cluster-autoscaler parameter '"+key+"'") {
					t.Errorf("%q: %v", value, err)
				}
			}
			if err := aks.CheckAutoscalerProfile(armjson.Object{key: true}); code(t, err) != "InvalidRequestContent" {
				t.Errorf("a bool: %v", err)
			}
		})
	}
	for _, key := range []string{"daemonset-eviction-for-empty-nodes", "daemonset-eviction-for-occupied-nodes", "ignore-daemonsets-utilization"} {
		if err := aks.CheckAutoscalerProfile(armjson.Object{key: true}); err != nil {
			t.Errorf("%s: %v", key, err)
		}
		if err := aks.CheckAutoscalerProfile(armjson.Object{key: "true"}); code(t, err) != "InvalidRequestContent" {
			t.Errorf("%s as a string: %v", key, err)
		}
	}
	if err := aks.CheckAutoscalerProfile(armjson.Object{"scanInterval": "10s"}); code(t, err) != "InvalidRequestContent" {
		t.Errorf("an unknown key: %v", err)
	}
}

func TestShownAutoscalerProfile(t *testing.T) {
	shown := aks.ShownAutoscalerProfile(nil)
	if len(shown) != 20 {
		t.Errorf("%d values are shown", len(shown))
	}
	if err := aks.CheckAutoscalerProfile(shown); err != nil {
		t.Errorf("what is shown cannot be sent: %v", err)
	}
	for scan, want := range map[string]string{"": "10s", "20s": "20s", "30": "30s"} {
		profile := armjson.Object{"expander": "least-waste"}
		if scan != "" {
			profile["scan-interval"] = scan
		}
		got := aks.ShownAutoscalerProfile(profile)
		if got["scale-down-delay-after-delete"] != want || got["expander"] != "least-waste" || got["scale-down-unneeded-time"] != "10m" {
			t.Errorf("scanning every %q: %+v", scan, got)
		}
		if len(profile) > 2 {
			t.Errorf("the profile itself was filled: %+v", profile)
		}
	}
	full := aks.ShownAutoscalerProfile(armjson.Object{"scale-down-delay-after-delete": "1m"})
	if diff := cmp.Diff(full, aks.ShownAutoscalerProfile(full)); diff != "" {
		t.Errorf("shown twice (-once +twice):\n%s", diff)
	}
}

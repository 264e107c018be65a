package chart_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionv1 "k8s.io/api/admissionregistration/v1"
)

type (
	policy  = admissionv1.ValidatingAdmissionPolicy
	binding = admissionv1.ValidatingAdmissionPolicyBinding
)

const (
	protection = "fleetwright-delete-protection"
	owned      = "fleetwright-owned-objects"
)

// What the policies of config/policy do is tested there, on a real API server. With the default values the chart makes the same.
func TestChartMakesThePoliciesOfConfig(t *testing.T) {
	rendered := render(t)
	for name, file := range map[string]string{protection: "delete-protection.yaml", owned: "owned-objects.yaml"} {
		wanted := decodeFile(t, root+"/config/policy/"+file)
		got, want := as[policy](t, rendered, "ValidatingAdmissionPolicy "+name).Spec, as[policy](t, wanted, "ValidatingAdmissionPolicy "+name).Spec
		for _, spec := range []*admissionv1.ValidatingAdmissionPolicySpec{&got, &want} {
			for i := range spec.Variables { // lines may be broken elsewhere
				spec.Variables[i].Expression = strings.Join(strings.Fields(spec.Variables[i].Expression), " ")
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s differs from config/policy (-config +chart)\n%s", name, diff)
		}
		key := "ValidatingAdmissionPolicyBinding " + name
		if diff := cmp.Diff(as[binding](t, wanted, key).Spec, as[binding](t, rendered, key).Spec); diff != "" {
			t.Errorf("%s differs from config/policy (-config +chart)\n%s", key, diff)
		}
	}
}

func TestWhoMayDeletePoolsFollowsTheValues(t *testing.T) {
	for name, tc := range map[string]struct {
		values []string
		want   string
	}{
		"others": {
			[]string{"policies.deleters={system:serviceaccount:capi:manager,admin}"},
			"['system:serviceaccount:fleetwright-system:fleetwright', 'system:serviceaccount:capi:manager', 'admin']",
		},
		"nobody but the operator": {[]string{"policies.deleters=null"}, "['system:serviceaccount:fleetwright-system:fleetwright']"},
		"another account":         {[]string{"serviceAccount.name=own", "policies.deleters={admin}"}, "['system:serviceaccount:fleetwright-system:own', 'admin']"},
	} {
		t.Run(name, func(t *testing.T) {
			variables := as[policy](t, render(t, tc.values...), "ValidatingAdmissionPolicy "+owned).Spec.Variables
			i := slices.IndexFunc(variables, func(v admissionv1.Variable) bool { return v.Name == "deleters" })
			if i < 0 || variables[i].Expression != tc.want {
				t.Errorf("variables are %+v, want deleters %s", variables, tc.want)
			}
		})
	}
}

package chart_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
)

// The right to read Secrets goes to the namespaces that are named and to no other; every other right stays as it is.
func TestSecretsAreReadInSomeNamespaces(t *testing.T) {
	rendered := render(t, "rbac.secretNamespaces={team-a}")
	everywhere := as[rules](t, rendered, "ClusterRole fleetwright").Rules
	all := as[rules](t, decodeFile(t, root+"/config/rbac/role.yaml"), "ClusterRole fleetwright").Rules
	for i := range all {
		all[i].Resources = slices.DeleteFunc(all[i].Resources, func(r string) bool { return r == "secrets" })
	}
	all = slices.DeleteFunc(all, func(r rbacv1.PolicyRule) bool { return len(r.Resources) == 0 })
	if diff := cmp.Diff(all, everywhere); diff != "" {
		t.Errorf("rights everywhere (-config without Secrets +chart)\n%s", diff)
	}
	if got := as[rules](t, rendered, "Role fleetwright-secrets"); got.Namespace != "team-a" ||
		!cmp.Equal(got.Rules, []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"get"}}}) {
		t.Errorf("the right in the namespace is %+v", got)
	}
	binding := as[rbacv1.RoleBinding](t, rendered, "RoleBinding fleetwright-secrets")
	if binding.Namespace != "team-a" || binding.RoleRef.Kind != "Role" || binding.RoleRef.Name != "fleetwright-secrets" ||
		!cmp.Equal(binding.Subjects, []rbacv1.Subject{{Kind: "ServiceAccount", Name: "fleetwright", Namespace: namespace}}) {
		t.Errorf("it goes to %+v", binding)
	}
}

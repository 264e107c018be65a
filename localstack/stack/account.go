package stack

import (
	"context"
	"fmt"

	corev1 "k8s.io/client-go/applyconfigurations/core/v1"
	rbacv1 "k8s.io/client-go/applyconfigurations/rbac/v1"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// operatorRole is the ClusterRole, and the Role in the operator's own namespace, in config/rbac.
const operatorRole = "fleetwright"

// createAccount makes the operator's ServiceAccount and gives it the roles, which need not exist yet, and nothing else.
func createAccount(ctx context.Context, client kubernetes.Interface) error {
	owned := metav1.ApplyOptions{FieldManager: fieldOwner, Force: true}
	if _, err := client.CoreV1().Namespaces().Apply(ctx, corev1.Namespace(operatorNamespace), owned); err != nil {
		return fmt.Errorf("create the operator's namespace: %w", err)
	}
	if _, err := client.CoreV1().ServiceAccounts(operatorNamespace).Apply(ctx, corev1.ServiceAccount(operatorAccount, operatorNamespace), owned); err != nil {
		return fmt.Errorf("create the operator's account: %w", err)
	}
	binding := rbacv1.ClusterRoleBinding(operatorRole).
		WithRoleRef(rbacv1.RoleRef().WithAPIGroup("rbac.authorization.k8s.io").WithKind("ClusterRole").WithName(operatorRole)).
		WithSubjects(rbacv1.Subject().WithKind("ServiceAccount").WithNamespace(operatorNamespace).WithName(operatorAccount))
	if _, err := client.RbacV1().ClusterRoleBindings().Apply(ctx, binding, owned); err != nil {
		return fmt.Errorf("bind the operator's role: %w", err)
	}
	local := rbacv1.RoleBinding(operatorRole, operatorNamespace).
		WithRoleRef(rbacv1.RoleRef().WithAPIGroup("rbac.authorization.k8s.io").WithKind("Role").WithName(operatorRole)).
		WithSubjects(rbacv1.Subject().WithKind("ServiceAccount").WithNamespace(operatorNamespace).WithName(operatorAccount))
	if _, err := client.RbacV1().RoleBindings(operatorNamespace).Apply(ctx, local, owned); err != nil {
		return fmt.Errorf("bind the operator's role in its own namespace: %w", err)
	}
	return nil
}

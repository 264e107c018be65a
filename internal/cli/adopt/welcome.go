package adopt

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/workloadcluster"
)

// unwelcome is why the operator would refuse the WorkloadCluster in this namespace, whatever its spec says. unasked is true where the user may not
// read the namespace.
func (e existing) unwelcome(ctx context.Context, reader client.Reader, class *fleetwrightv1.WorkloadClusterClass) (out []string, unasked bool, err error) {
	var namespace corev1.Namespace
	err = reader.Get(ctx, client.ObjectKey{Name: e.Namespace}, &namespace)
	if apierrors.IsForbidden(err) {
		return nil, true, nil
	} else if err != nil {
		return nil, false, fmt.Errorf("read namespace %s: %w", e.Namespace, err)
	}
	if class != nil && !workloadcluster.Allows(class, &namespace) {
		out = append(out, fmt.Sprintf("%s: WorkloadClusterClass %s/%s does not let namespace %s use it: its spec.allowedNamespaces has to select that namespace",
			fleetwrightv1.ReasonClassNotAllowed, class.Namespace, class.Name, e.Namespace))
	}
	if tenant := namespace.Labels[fleetwrightv1.LabelTenant]; tenant != "" {
		out = append(out, fmt.Sprintf("%s: namespace %s belongs to tenant %s: set tenancy to Single with that tenant, which gives the pools its label and taint",
			fleetwrightv1.ReasonTenantNotAllowed, e.Namespace, tenant))
	}
	return out, false, nil
}

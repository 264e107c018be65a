package webhooks

import (
	"fmt"

	ctrl "sigs.k8s.io/controller-runtime"

	infrav1 "sigs.k8s.io/cluster-api-provider-azure/api/v1beta1"
)

// Resources returns the plural names of the kinds this package answers for, as webhook configurations name them.
func Resources() []string { return []string{"azuremanagedmachinepools", "azuremanagedcontrolplanes"} }

// Add serves the webhooks with manager's webhook server, at the paths of CAPZ's own.
func Add(manager ctrl.Manager) error {
	pools := &poolWebhook{client: manager.GetClient()}
	err := ctrl.NewWebhookManagedBy(manager, &infrav1.AzureManagedMachinePool{}).WithDefaulter(pools).WithValidator(pools).Complete()
	if err != nil {
		return fmt.Errorf("add the AzureManagedMachinePool webhook: %w", err)
	}
	planes := &controlPlaneWebhook{}
	err = ctrl.NewWebhookManagedBy(manager, &infrav1.AzureManagedControlPlane{}).WithDefaulter(planes).WithValidator(planes).Complete()
	if err != nil {
		return fmt.Errorf("add the AzureManagedControlPlane webhook: %w", err)
	}
	return nil
}

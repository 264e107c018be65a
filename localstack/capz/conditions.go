package capz

import (
	clusterv1beta1 "sigs.k8s.io/cluster-api/api/core/v1beta1"
	v1beta1conditions "sigs.k8s.io/cluster-api/util/deprecated/v1beta1/conditions"

	infrav1 "sigs.k8s.io/cluster-api-provider-azure/api/v1beta1"

	"github.com/fleetwright/fleetwright/localstack/capz/resource"
)

// markPut reports how creating or updating went, after UpdatePutStatus in azure/scope/managed{controlplane,machinepool}.go.
func markPut(object v1beta1conditions.Setter, condition clusterv1beta1.ConditionType, service string, err error) {
	switch {
	case err == nil:
		v1beta1conditions.MarkTrue(object, condition)
	case resource.IsInProgress(err):
		v1beta1conditions.MarkFalse(object, condition, infrav1.CreatingReason, clusterv1beta1.ConditionSeverityInfo, "%s creating or updating", service)
	default:
		v1beta1conditions.MarkFalse(object, condition, infrav1.FailedReason, clusterv1beta1.ConditionSeverityError, "%s failed to create or update. err: %s", service, err.Error())
	}
}

// markDelete reports how deleting went, after UpdateDeleteStatus in the same files.
func markDelete(object v1beta1conditions.Setter, condition clusterv1beta1.ConditionType, service string, err error) {
	switch {
	case err == nil:
		v1beta1conditions.MarkFalse(object, condition, infrav1.DeletedReason, clusterv1beta1.ConditionSeverityInfo, "%s successfully deleted", service)
	case resource.IsInProgress(err):
		v1beta1conditions.MarkFalse(object, condition, infrav1.DeletingReason, clusterv1beta1.ConditionSeverityInfo, "%s deleting", service)
	default:
		v1beta1conditions.MarkFalse(object, condition, infrav1.DeletionFailedReason, clusterv1beta1.ConditionSeverityError, "%s failed to delete. err: %s", service, err.Error())
	}
}

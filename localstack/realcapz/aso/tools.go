//go:build tools

// Package aso pins the real Azure Service Operator, so that its manager is
// built from its Go module.
package aso

import _ "github.com/Azure/azure-service-operator/v2/cmd/controller"

// Package asospec knows the shape of Azure Service Operator's objects: which kinds there are, how their specs become what
// Azure Resource Manager wants, and how its answers become their status. Everything here is a function of values.
package asospec

// OpenTelemetry's resource of a process in a task.
'use strict';
const assert = require('assert');
const os = require('os');
const { detectResources } = require('@opentelemetry/resources');
const { awsEcsDetector } = require('@opentelemetry/resource-detector-aws');
const { container, task, idOfCgroup, run } = require('./task');

run(async () => {
    const resource = detectResources({ detectors: [awsEcsDetector] });
    await resource.waitForAsyncAttributes();
    const found = resource.attributes;
    const [own, whole] = [await container(), await task()];
    const [, , , region, account] = whole.TaskARN.split(':');
    assert.strictEqual(found['cloud.provider'], 'aws');
    assert.strictEqual(found['cloud.platform'], 'aws_ecs');
    assert.strictEqual(found['cloud.region'], region);
    assert.strictEqual(found['cloud.account.id'], account);
    assert.strictEqual(found['cloud.availability_zone'], whole.AvailabilityZone);
    assert.strictEqual(found['cloud.resource_id'], own.ContainerARN);
    assert.strictEqual(found['container.name'], os.hostname());
    assert.strictEqual(found['container.id'], idOfCgroup());
    assert.strictEqual(found['aws.ecs.container.arn'], own.ContainerARN);
    assert.strictEqual(found['aws.ecs.cluster.arn'], whole.TaskARN.replace(/:task\/.*/, ':cluster/' + whole.Cluster));
    assert.strictEqual(found['aws.ecs.launchtype'], 'ec2');
    assert.strictEqual(found['aws.ecs.task.arn'], whole.TaskARN);
    assert.strictEqual(found['aws.ecs.task.family'], whole.Family);
    assert.strictEqual(found['aws.ecs.task.revision'], whole.Revision);
});

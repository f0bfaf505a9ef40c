// A segment as it comes to the X-Ray daemon beside the process.
'use strict';
const assert = require('assert');
const dgram = require('dgram');
const AWSXRay = require('aws-xray-sdk-core');
const { container, run } = require('./task');

run(async () => {
    const daemon = dgram.createSocket('udp4');
    await new Promise((resolve) => daemon.bind(2000, '127.0.0.1', resolve));
    const received = new Promise((resolve) =>
        daemon.on('message', (bytes) => resolve(JSON.parse(bytes.toString().split('\n')[1]))),
    );
    AWSXRay.setLogger({ debug() {}, info() {}, warn() {}, error() {} });
    AWSXRay.config([AWSXRay.plugins.ECSPlugin]);
    await new Promise((resolve) => setImmediate(resolve));
    new AWSXRay.Segment('clients').close();
    const segment = await received;
    assert.strictEqual(segment.origin, 'AWS::ECS::Container');
    const own = await container();
    assert.strictEqual(segment.aws.ecs.container, own.DockerId.slice(0, 12));
});

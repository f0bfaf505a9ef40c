// A metric as it comes to the CloudWatch agent beside the process.
'use strict';
const assert = require('assert');
const net = require('net');
const os = require('os');
const { createMetricsLogger, Configuration } = require('aws-embedded-metrics');
const { container, task, run } = require('./task');

run(async () => {
    const received = new Promise((resolve) => {
        net.createServer((socket) => {
            let text = '';
            socket.on('data', (bytes) => {
                text += bytes;
                if (text.endsWith('\n')) resolve(JSON.parse(text));
            });
        }).listen(25888, '127.0.0.1');
    });
    Configuration.agentEndpoint = 'tcp://127.0.0.1:25888';
    const metrics = createMetricsLogger();
    metrics.putMetric('Requests', 1, 'Count');
    await metrics.flush();
    const record = await received;
    const [own, whole] = [await container(), await task()];
    assert.strictEqual(record.Requests, 1);
    assert.strictEqual(record.ServiceType, 'AWS::ECS::Container');
    assert.strictEqual(record.ServiceName, own.Image);
    assert.strictEqual(record.containerId, os.hostname());
    assert.strictEqual(record.createdAt, own.CreatedAt);
    assert.strictEqual(record.startedAt, own.StartedAt);
    assert.strictEqual(record.image, own.Image);
    assert.strictEqual(record.cluster, whole.Cluster);
    assert.strictEqual(record.taskArn, whole.TaskARN);
});
